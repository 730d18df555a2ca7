// For a LibTorch without CUDA, or a build without the CUDA toolkit's headers: there is no CUDA device.

#include <torch/version.h>

#include <lapse/engine/plugin/failure.hpp>
#include "cuda.hpp"

namespace lapse::plugin::libtorch {

int cuda_devices() noexcept { return 0; }

void require_cuda(const Device& /*device*/) {
  throw Failure(LAPSE_DEVICE_UNUSABLE, "the engine torch was built without CUDA (LibTorch " TORCH_VERSION ")",
                "build lapse again where the CUDA toolkit is, with -DCMAKE_PREFIX_PATH= and the folder of a LibTorch with CUDA");
}

std::unique_ptr<Binding> bind_on_cuda(torch::jit::Function& /*forward*/, Arguments /*arguments*/, const Device& device) {
  require_cuda(device);
  return nullptr;
}

}  // namespace lapse::plugin::libtorch
