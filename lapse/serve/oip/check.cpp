#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <lapse/serve/oip/infer.hpp>
#include <lapse/serve/oip/words.hpp>
#include <lapse/tensor/compare.hpp>

namespace lapse::serve::oip {
namespace {

const Port* find(const std::vector<Port>& ports, std::string_view name) {
  const auto found = std::ranges::find(ports, name, &Port::name);
  return found == ports.end() ? nullptr : &*found;
}

std::string names_of(const std::vector<Port>& ports) {
  std::vector<std::string_view> names;
  for (const Port& port : ports) names.push_back(port.name);
  return names.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(names, ", "));
}

bool fits(std::span<const std::int64_t> shape, const std::optional<tensor::Shape>& wanted) {
  return !wanted || std::ranges::equal(shape, *wanted, [](std::int64_t is, std::int64_t should) { return should < 0 || is == should; });
}

Result<void> check_input(const tensor::NamedTensor& input, const Port& port, bool finite) {
  const auto refuse = [&](std::string message, std::string hint = {}) {
    return fail(ErrorCode::BadInput, fmt::format("input {}: {}", in_quotes(input.name), message), std::move(hint));
  };
  const tensor::Tensor& tensor = input.tensor;
  if (port.dtype != tensor::DType::Unknown && tensor.dtype() != port.dtype) {
    return refuse(fmt::format("the model takes {}, not {}", datatype(port.dtype), datatype(tensor.dtype())));
  }
  if (!fits(tensor.shape(), port.shape)) {
    return refuse(fmt::format("the model takes shape {}, not {}", tensor::to_string(*port.shape), tensor::to_string(tensor.shape())),
                  "? may have any size");
  }
  if (finite && tensor::is_floating(tensor.dtype()) && tensor::count_non_finite(tensor.view()) != 0) {
    return refuse("NaN or infinity among the data", "this model is set to refuse them");
  }
  return {};
}

}  // namespace

Result<void> check(const InferRequest& request, const Signature& signature, bool finite) {
  for (const tensor::NamedTensor& input : request.inputs) {
    const Port* port = find(signature.inputs, input.name);
    if (port == nullptr) {
      return fail(ErrorCode::BadInput, fmt::format("the model has no input {}", in_quotes(input.name)), names_of(signature.inputs));
    }
    LAPSE_CHECK(check_input(input, *port, finite));
  }
  for (const Port& port : signature.inputs) {
    if (std::ranges::find(request.inputs, port.name, &tensor::NamedTensor::name) == request.inputs.end()) {
      return fail(ErrorCode::BadInput, fmt::format("the input {} is missing", in_quotes(port.name)), names_of(signature.inputs));
    }
  }
  if (signature.outputs.empty()) return {};  // a model that does not tell: known after the first inference
  for (const OutputChoice& output : request.outputs) {
    if (find(signature.outputs, output.name) == nullptr) {
      return fail(ErrorCode::BadInput, fmt::format("the model has no output {}", in_quotes(output.name)), names_of(signature.outputs));
    }
  }
  return {};
}

}  // namespace lapse::serve::oip
