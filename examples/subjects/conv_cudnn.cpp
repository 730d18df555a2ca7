// cuDNN: a 3×3 convolution with padding, as many channels out as in, float32, NCHW. The algorithm is the one that cuDNN's heuristics name.
//
//   lapse time ./conv_cudnn.so:conv:8x64x56x56        8 images of 64 channels, 56×56 (default: 1x64x56x56)

#include <cuda_runtime.h>
#include <cudnn.h>
#include <lapse/engine/subject.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace {

// The libraries' own words, with what was being done.
void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}
void check(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) throw std::runtime_error(std::string(what) + ": " + cudnnGetErrorString(status));
}

struct Free {
  void operator()(void* memory) const { cudaFree(memory); }
};
template <class T>
using OnDevice = std::unique_ptr<T, Free>;

template <class T>
OnDevice<T> allocate(std::size_t count) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, count * sizeof(T)), "cudaMalloc");
  return OnDevice<T>(static_cast<T*>(memory));
}

// Normal random numbers, not zeros: a GPU draws less power for zeros, runs at a higher clock then, and looks faster than it is.
OnDevice<float> random_tensor(std::size_t count, unsigned seed) {
  std::minstd_rand random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  auto tensor = allocate<float>(count);
  check(cudaMemcpy(tensor.get(), values.data(), count * sizeof(float), cudaMemcpyHostToDevice), "cudaMemcpy");
  return tensor;
}

// cuDNN's handles and descriptors, which are pointers, closed by themselves.
template <auto kDestroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    kDestroy(object);
  }
};
template <class Pointer, auto kDestroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Pointer>, Destroy<kDestroy>>;

template <class Owner, class Create>
Owner make(Create create, const char* what) {
  typename Owner::pointer object = nullptr;
  check(create(&object), what);
  return Owner(object);
}

struct Shape {
  int images = 1, channels = 64, height = 56, width = 56;
  std::size_t count() const {
    return static_cast<std::size_t>(images) * static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
};

Shape read_shape(const char* arguments) {
  constexpr int kMost = 4096;
  Shape shape;
  if (*arguments == '\0') return shape;
  int length = 0;
  const int read = std::sscanf(arguments, "%dx%dx%dx%d%n", &shape.images, &shape.channels, &shape.height, &shape.width, &length);
  bool good = read == 4 && arguments[length] == '\0';
  for (const int size : {shape.images, shape.channels, shape.height, shape.width}) good = good && size >= 1 && size <= kMost;
  if (!good) throw std::runtime_error("wanted: conv:IMAGESxCHANNELSxHEIGHTxWIDTH, each from 1 to 4096");
  return shape;
}

class Convolution {
 public:
  Convolution(const Shape& shape, int device) {
    check(cudaSetDevice(device), "cudaSetDevice");  // ours is not the same CUDA runtime as lapse's
    dnn_ = make<decltype(dnn_)>(cudnnCreate, "cudnnCreate");
    tensor_ = make<decltype(tensor_)>(cudnnCreateTensorDescriptor, "cudnnCreateTensorDescriptor");
    filter_ = make<decltype(filter_)>(cudnnCreateFilterDescriptor, "cudnnCreateFilterDescriptor");
    convolution_ = make<decltype(convolution_)>(cudnnCreateConvolutionDescriptor, "cudnnCreateConvolutionDescriptor");
    check(cudnnSetTensor4dDescriptor(tensor_.get(), CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, shape.images, shape.channels, shape.height,
                                     shape.width),
          "cudnnSetTensor4dDescriptor");
    check(cudnnSetFilter4dDescriptor(filter_.get(), CUDNN_DATA_FLOAT, CUDNN_TENSOR_NCHW, shape.channels, shape.channels, 3, 3),
          "cudnnSetFilter4dDescriptor");
    check(cudnnSetConvolution2dDescriptor(convolution_.get(), 1, 1, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
          "cudnnSetConvolution2dDescriptor");
    // Float32 throughout; CUDNN_DEFAULT_MATH would let cuDNN round the operands to TF32 and be several times as fast.
    check(cudnnSetConvolutionMathType(convolution_.get(), CUDNN_FMA_MATH), "cudnnSetConvolutionMathType");
    choose_algorithm();
    const auto channels = static_cast<std::size_t>(shape.channels);
    x_ = random_tensor(shape.count(), 1);
    w_ = random_tensor(channels * channels * 9, 2);
    y_ = allocate<float>(shape.count());
    if (workspace_bytes_ > 0) workspace_ = allocate<std::byte>(workspace_bytes_);
  }

  // One call of cuDNN and nothing else: what this function takes is timed as `submit`.
  void enqueue(cudaStream_t stream) {
    if (stream != stream_ || !ready_) {
      check(cudnnSetStream(dnn_.get(), stream), "cudnnSetStream");
      stream_ = stream;
      ready_ = true;
    }
    const float one = 1.0f, zero = 0.0f;
    check(cudnnConvolutionForward(dnn_.get(), &one, tensor_.get(), x_.get(), filter_.get(), w_.get(), convolution_.get(), algorithm_,
                                  workspace_.get(), workspace_bytes_, &zero, tensor_.get(), y_.get()),
          "cudnnConvolutionForward");
  }

  std::string error;

 private:
  void choose_algorithm() {
    std::array<cudnnConvolutionFwdAlgoPerf_t, CUDNN_CONVOLUTION_FWD_ALGO_COUNT> found{};
    int count = 0;
    check(cudnnGetConvolutionForwardAlgorithm_v7(dnn_.get(), tensor_.get(), filter_.get(), convolution_.get(), tensor_.get(),
                                                 static_cast<int>(found.size()), &count, found.data()),
          "cudnnGetConvolutionForwardAlgorithm_v7");
    for (int i = 0; i < count; ++i) {  // best first; not each of them can do with the math type asked for
      const auto& candidate = found[static_cast<std::size_t>(i)];
      if (candidate.status != CUDNN_STATUS_SUCCESS) continue;
      algorithm_ = candidate.algo;
      if (cudnnGetConvolutionForwardWorkspaceSize(dnn_.get(), tensor_.get(), filter_.get(), convolution_.get(), tensor_.get(), algorithm_,
                                                  &workspace_bytes_) == CUDNN_STATUS_SUCCESS) {
        return;
      }
    }
    throw std::runtime_error("cuDNN has no float32 algorithm for this convolution");
  }

  Owned<cudnnHandle_t, cudnnDestroy> dnn_;
  Owned<cudnnTensorDescriptor_t, cudnnDestroyTensorDescriptor> tensor_;  // x and y have the same shape
  Owned<cudnnFilterDescriptor_t, cudnnDestroyFilterDescriptor> filter_;
  Owned<cudnnConvolutionDescriptor_t, cudnnDestroyConvolutionDescriptor> convolution_;
  cudnnConvolutionFwdAlgo_t algorithm_ = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM;
  OnDevice<float> x_, w_, y_;
  OnDevice<std::byte> workspace_;
  std::size_t workspace_bytes_ = 0;
  cudaStream_t stream_ = nullptr;
  bool ready_ = false;
};

// Why the last create on this thread failed: there is no handle yet that could keep it.
thread_local std::string create_error;

int conv_create(const char* arguments, int device, void** handle) {
  try {
    *handle = new Convolution(read_shape(arguments), device);
    return 0;
  } catch (const std::exception& exception) {
    create_error = exception.what();
    return 1;
  }
}

int conv_enqueue(void* handle, void* stream) {
  auto& convolution = *static_cast<Convolution*>(handle);
  try {
    convolution.enqueue(static_cast<cudaStream_t>(stream));
    return 0;
  } catch (const std::exception& exception) {
    convolution.error = exception.what();
    return 1;
  }
}

const char* conv_error(void* handle) { return handle == nullptr ? create_error.c_str() : static_cast<Convolution*>(handle)->error.c_str(); }

void conv_destroy(void* handle) { delete static_cast<Convolution*>(handle); }

}  // namespace

LAPSE_SUBJECT(conv) = {LAPSE_SUBJECT_HEAD, "cuda", 0, conv_create, conv_enqueue, conv_error, conv_destroy};
