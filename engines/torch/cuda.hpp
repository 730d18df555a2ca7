#pragma once
// What only a LibTorch with CUDA can do. Two files define it, and the build takes one: cuda.cpp for such a LibTorch, no_cuda.cpp for one
// for the CPU.

#include <torch/script.h>

#include <cstddef>
#include <memory>
#include <vector>

#include <lapse/engine/plugin/device.hpp>
#include "binding.hpp"

namespace lapse::plugin::libtorch {

/// How many devices LibTorch sees; 0 without a driver.
int cuda_devices() noexcept;

/// Throws Failure(DEVICE_UNUSABLE) with the reason why LibTorch can't use the device.
void require_cuda(const Device& device);

/// What forward is called with: `arguments`, and `inputs`, in host memory that outlives the binding, at `places` among them.
struct Arguments {
  std::vector<c10::IValue> values;
  std::vector<std::size_t> places;
  std::vector<at::Tensor> inputs;
};

/// In inference mode. What LibTorch throws comes out.
std::unique_ptr<Binding> bind_on_cuda(torch::jit::Function& forward, Arguments arguments, const Device& device);

}  // namespace lapse::plugin::libtorch
