#pragma once
// One set of inputs, ready to run on the host.

#include <lapse/engine/abi.h>
#include <torch/script.h>

#include <span>
#include <vector>

#include <lapse/engine/plugin/binding.hpp>
#include "forward.hpp"

namespace lapse::plugin::libtorch {

class HostBinding final : public Binding {
 public:
  explicit HostBinding(Forward forward) : forward_(std::move(forward)) {}

  void submit(void* stream) override;
  /// All of an inference on the host is its forward pass.
  void stage(lapse_stage stage, void* stream) override;
  std::span<const lapse_tensor> outputs() override;

 private:
  Forward forward_;
  std::vector<at::Tensor> tensors_;
  std::vector<lapse_tensor> views_;
};

/// A dense tensor in host memory, as lapse sees it; valid as long as `tensor`.
lapse_tensor view_of(const at::Tensor& tensor);

}  // namespace lapse::plugin::libtorch
