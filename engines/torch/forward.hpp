#pragma once
// A model's forward with its arguments, called again and again. In inference mode, which the caller has entered.

#include <torch/script.h>

#include <vector>

namespace lapse::plugin::libtorch {

class Forward {
 public:
  Forward(torch::jit::Function& function, std::vector<c10::IValue> arguments);

  /// What the model throws comes out.
  void run();

  /// The tensors of the last result, in order, whatever they lie in; where they are on a device, its work may not be done. Valid until the
  /// next run. Throws Failure(UNSUPPORTED) for what is no dense tensor.
  const std::vector<at::Tensor>& results();

 private:
  void flatten(const c10::IValue& value);
  void add(const at::Tensor& tensor);

  torch::jit::Function& function_;
  std::vector<c10::IValue> arguments_;
  torch::jit::Stack stack_;  // the function consumes its arguments, so each run gives it a copy; the room is kept
  c10::IValue result_;
  std::vector<at::Tensor> tensors_;
};

}  // namespace lapse::plugin::libtorch
