#include "cuda.hpp"

#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <utility>

#include <lapse/engine/plugin/failure.hpp>
#include "translate.hpp"

namespace lapse::plugin::libtorch {
namespace {

// Everything it submits is ordered on the stream given, and nothing waits for the device but the copies of ordinary memory, which the
// driver may make wait, and `outputs`.
class CudaBinding final : public Binding {
 public:
  CudaBinding(torch::jit::Function& forward, Arguments arguments, const Device& device)
      : index_(static_cast<c10::DeviceIndex>(device.index)),
        transfers_(device.transfers),
        stream_(c10::cuda::getDefaultCUDAStream(index_)),
        sources_(sources(std::move(arguments.inputs))),
        inputs_(on_device(sources_)),
        forward_(forward, filled(std::move(arguments.values), arguments.places, inputs_)) {}

  void submit(void* stream) override {
    on(stream, [this] {
      const bool copies = transfers_ != Transfers::None;
      if (copies) copy_inputs();
      run();
      if (copies) copy_outputs(kAsynchronous);
    });
  }

  void stage(lapse_stage stage, void* stream) override {
    on(stream, [&] {
      switch (stage) {
        case LAPSE_STAGE_H2D:
          return copy_inputs();
        case LAPSE_STAGE_FORWARD:
          return run();
        case LAPSE_STAGE_D2H:
          return copy_outputs(kAsynchronous);
      }
    });
  }

  std::span<const lapse_tensor> outputs() override {
    if (!copied_) on(given_, [this] { copy_outputs(kBlocking); });
    views_.clear();
    for (const auto& tensor : outputs_) views_.push_back(view_of(tensor));
    return views_;
  }

  std::span<const lapse_tensor> inputs() override {
    input_views_.clear();
    if (transfers_ == Transfers::Pinned) {
      for (const auto& source : sources_) input_views_.push_back(view_of(source));
    }
    return input_views_;
  }

 private:
  static constexpr bool kAsynchronous = true;  // copy_'s non_blocking
  static constexpr bool kBlocking = false;

  std::vector<at::Tensor> sources(std::vector<at::Tensor> inputs) const {
    if (transfers_ != Transfers::Pinned) return inputs;
    for (auto& input : inputs) input = input.pin_memory();
    return inputs;
  }

  // The inputs are on the device from the beginning, so that the forward pass can run without a copy before it.
  std::vector<at::Tensor> on_device(const std::vector<at::Tensor>& sources) const {
    std::vector<at::Tensor> tensors;
    for (const auto& source : sources) tensors.push_back(source.to(at::Device(at::kCUDA, index_), kBlocking));
    return tensors;
  }

  static std::vector<c10::IValue> filled(std::vector<c10::IValue> values, const std::vector<std::size_t>& places,
                                         const std::vector<at::Tensor>& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) values[places[i]] = inputs[i];
    return values;
  }

  // Runs `body` with `stream` as the one that LibTorch puts its work on.
  template <class Body>
  void on(void* stream, Body&& body) {
    translate(Stage::Submit, {}, [&] {
      const c10::InferenceMode inference;
      if (stream != given_) stream_ = c10::cuda::getStreamFromExternal(static_cast<cudaStream_t>(stream), index_);
      given_ = stream;
      const c10::cuda::CUDAStreamGuard guard(stream_);
      std::forward<Body>(body)();
    });
  }

  void copy_inputs() {
    for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i].copy_(sources_[i], kAsynchronous);
  }

  void run() {
    copied_ = false;
    forward_.run();
  }

  // Host memory is made when the shapes are first known, and again only when they change: page-locking it takes long.
  void copy_outputs(bool asynchronous) {
    const auto& results = forward_.results();
    outputs_.resize(results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      at::Tensor& output = outputs_[i];
      const at::Tensor& result = results[i];
      if (!output.defined() || output.sizes() != result.sizes() || output.scalar_type() != result.scalar_type()) {
        output = at::empty(result.sizes(), at::TensorOptions(result.scalar_type()).pinned_memory(transfers_ == Transfers::Pinned));
      }
      output.copy_(result, asynchronous);
    }
    copied_ = true;
  }

  c10::DeviceIndex index_;
  Transfers transfers_;
  void* given_ = nullptr;            // the stream of the last call…
  c10::cuda::CUDAStream stream_;     // …as LibTorch knows it
  std::vector<at::Tensor> sources_;  // on the host: page-locked copies, or the memory that was bound
  std::vector<at::Tensor> inputs_;   // on the device
  Forward forward_;
  std::vector<at::Tensor> outputs_;  // on the host
  bool copied_ = false;              // the outputs of the last run are there, or on their way
  std::vector<lapse_tensor> views_, input_views_;
};

}  // namespace

int cuda_devices() noexcept { return static_cast<int>(c10::cuda::device_count()); }

void require_cuda(const Device& device) {
  try {
    require_index("LibTorch", device.index, static_cast<int>(c10::cuda::device_count_ensure_non_zero()));
  } catch (const c10::Error& error) {
    throw Failure(LAPSE_DEVICE_UNUSABLE, std::string("LibTorch sees no CUDA device: ") + error.what_without_backtrace(),
                  "does nvidia-smi work here?");
  }
}

std::unique_ptr<Binding> bind_on_cuda(torch::jit::Function& forward, Arguments arguments, const Device& device) {
  return std::make_unique<CudaBinding>(forward, std::move(arguments), device);
}

}  // namespace lapse::plugin::libtorch
