#include "forward.hpp"

#include <string>
#include <utility>

#include <lapse/engine/plugin/failure.hpp>
#include "dtype.hpp"

namespace lapse::plugin::libtorch {

Forward::Forward(torch::jit::Function& function, std::vector<c10::IValue> arguments)
    : function_(function), arguments_(std::move(arguments)) {
  stack_.reserve(arguments_.size() + 1);
}

void Forward::run() {
  tensors_.clear();
  result_ = c10::IValue();
  stack_ = arguments_;
  function_.run(stack_);
  result_ = std::move(stack_.front());
  stack_.clear();
}

const std::vector<at::Tensor>& Forward::results() {
  tensors_.clear();
  flatten(result_);
  return tensors_;
}

void Forward::flatten(const c10::IValue& value) {
  if (value.isTensor()) {
    add(value.toTensor());
  } else if (value.isTuple()) {
    for (const auto& element : value.toTupleRef().elements()) flatten(element);
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) flatten(element);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) flatten(entry.value());
  } else {
    throw Failure(LAPSE_UNSUPPORTED, "output " + std::to_string(tensors_.size()) + " is a " + value.tagKind() + ", not a tensor");
  }
}

void Forward::add(const at::Tensor& tensor) {
  const std::string name = "output " + std::to_string(tensors_.size());
  if (!tensor.defined()) throw Failure(LAPSE_UNSUPPORTED, name + " is an undefined tensor");
  const bool reachable = tensor.is_cpu() || tensor.is_cuda();
  if (tensor.layout() != at::kStrided || !reachable || to_lapse(tensor.scalar_type()) == LAPSE_DTYPE_UNKNOWN) {
    throw Failure(LAPSE_UNSUPPORTED, name + " is a tensor of a kind that lapse can't pass: " + tensor.toString());
  }
  tensors_.push_back(tensor);
}

}  // namespace lapse::plugin::libtorch
