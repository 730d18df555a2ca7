// For a build without the CUDA toolkit: there is no CUDA device.

#include <lapse/engine/plugin/failure.hpp>
#include "cuda.hpp"

namespace lapse::plugin::onnxruntime {
namespace {

[[noreturn]] void refuse() {
  throw Failure(LAPSE_DEVICE_UNUSABLE, "the engine onnxruntime was built without CUDA", "build lapse again where the CUDA toolkit is");
}

}  // namespace

int cuda_devices(const Library& /*library*/) noexcept { return 0; }

void require_cuda(const Library& /*library*/, const Device& /*device*/) { refuse(); }

void run_on_cuda(const Library& /*library*/, OrtSessionOptions& /*session*/, const Device& /*device*/, void* /*stream*/,
                 const CudaOptions& /*options*/) {
  refuse();
}

std::unique_ptr<Binding> bind_on_cuda(Session& /*session*/, std::span<const lapse_tensor> /*tensors*/) { refuse(); }

}  // namespace lapse::plugin::onnxruntime
