// cuBLAS SGEMM: C = A · B of n×n matrices in float32, that is 2n³ floating-point operations.
//
//   lapse time ./gemm_cublas.so:gemm:4096        n = 4096 (default: 1024)

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <lapse/engine/subject.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// The libraries' own words, with what was being done.
void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}
void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) throw std::runtime_error(std::string(what) + ": " + cublasGetStatusString(status));
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
OnDevice<float> random_matrix(std::size_t count, unsigned seed) {
  std::minstd_rand random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  auto matrix = allocate<float>(count);
  check(cudaMemcpy(matrix.get(), values.data(), count * sizeof(float), cudaMemcpyHostToDevice), "cudaMemcpy");
  return matrix;
}

int read_size(const char* arguments) {
  int n = 1024;
  const char* end = arguments + std::strlen(arguments);
  if (arguments == end) return n;
  const auto [stop, error] = std::from_chars(arguments, end, n);
  if (error != std::errc{} || stop != end || n < 1 || n > 32768) throw std::runtime_error("wanted: gemm:N, from 1 to 32768");
  return n;
}

class Gemm {
 public:
  Gemm(int n, int device) : n_(n) {
    check(cudaSetDevice(device), "cudaSetDevice");  // ours is not the same CUDA runtime as lapse's
    check(cublasCreate(&blas_), "cublasCreate");
    try {
      const auto count = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
      a_ = random_matrix(count, 1);
      b_ = random_matrix(count, 2);
      c_ = allocate<float>(count);
      workspace_ = allocate<std::byte>(kWorkspace);
    } catch (...) {
      cublasDestroy(blas_);
      throw;
    }
  }
  ~Gemm() { cublasDestroy(blas_); }
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;

  // One call of cuBLAS and nothing else: what this function takes is timed as `submit`.
  void enqueue(cudaStream_t stream) {
    if (stream != stream_ || !ready_) use(stream);
    const float one = 1.0f, zero = 0.0f;
    check(cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, n_, n_, n_, &one, a_.get(), n_, b_.get(), n_, &zero, c_.get(), n_), "cublasSgemm");
  }

  std::string error;

 private:
  // In this order: cublasSetStream takes a workspace of one's own away.
  void use(cudaStream_t stream) {
    check(cublasSetStream(blas_, stream), "cublasSetStream");
    check(cublasSetWorkspace(blas_, workspace_.get(), kWorkspace), "cublasSetWorkspace");
    stream_ = stream;
    ready_ = true;
  }

  static constexpr std::size_t kWorkspace = std::size_t{32} << 20;  // what NVIDIA recommends for Hopper; older ones need less

  int n_;
  cublasHandle_t blas_ = nullptr;
  OnDevice<float> a_, b_, c_;
  OnDevice<std::byte> workspace_;
  cudaStream_t stream_ = nullptr;
  bool ready_ = false;
};

// Why the last create on this thread failed: there is no handle yet that could keep it.
thread_local std::string create_error;

int gemm_create(const char* arguments, int device, void** handle) {
  try {
    *handle = new Gemm(read_size(arguments), device);
    return 0;
  } catch (const std::exception& exception) {
    create_error = exception.what();
    return 1;
  }
}

int gemm_enqueue(void* handle, void* stream) {
  auto& gemm = *static_cast<Gemm*>(handle);
  try {
    gemm.enqueue(static_cast<cudaStream_t>(stream));
    return 0;
  } catch (const std::exception& exception) {
    gemm.error = exception.what();
    return 1;
  }
}

const char* gemm_error(void* handle) { return handle == nullptr ? create_error.c_str() : static_cast<Gemm*>(handle)->error.c_str(); }

void gemm_destroy(void* handle) { delete static_cast<Gemm*>(handle); }

}  // namespace

LAPSE_SUBJECT(gemm) = {LAPSE_SUBJECT_HEAD, "cuda", 0, gemm_create, gemm_enqueue, gemm_error, gemm_destroy};
