// For a LibTorch that is a build for the CPU, or without the CUDA toolkit's headers: there is no CUDA device.

#include <torch/version.h>

#include <lapse/engine/plugin/failure.hpp>
#include "cuda.hpp"

namespace lapse::plugin::libtorch {

int cuda_devices() noexcept { return 0; }

void require_cuda(const Device& /*device*/) {
  throw Failure(LAPSE_DEVICE_UNUSABLE,
                "the engine torch was built with a LibTorch for the CPU (" TORCH_VERSION "), so it has no CUDA device",
                "build lapse again with -DCMAKE_PREFIX_PATH= and the folder of a LibTorch with CUDA");
}

std::unique_ptr<Binding> bind_on_cuda(torch::jit::Function& /*forward*/, Arguments /*arguments*/, const Device& device) {
  require_cuda(device);
  return nullptr;
}

}  // namespace lapse::plugin::libtorch
