#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <lapse/serve/oip/infer.hpp>
#include <lapse/serve/oip/words.hpp>
#include <lapse/tensor/element.hpp>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace lapse::serve::oip {
namespace {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// False at the first number that JSON can't say. {fmt} writes the shortest digits that read back to the same number.
template <class Element>
bool append_data(std::string& json, const tensor::TensorView& tensor) {
  const std::size_t count = tensor.bytes / sizeof(typename Element::Stored);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = tensor::value_at<Element>(tensor.data, i);
    if constexpr (std::is_floating_point_v<decltype(value)>) {
      if (!std::isfinite(value)) return false;
    }
    if (i > 0) json += ',';
    fmt::format_to(std::back_inserter(json), "{}", value);
  }
  return true;
}

struct Chosen {
  std::string name;
  const tensor::TensorView* tensor;
  bool binary;
};

std::string name_of(const Signature& signature, std::size_t index) {
  return index < signature.outputs.size() ? signature.outputs[index].name : fmt::format("output_{}", index);
}

Result<std::vector<Chosen>> choose(const InferRequest& request, const Signature& signature, std::span<const tensor::TensorView> outputs) {
  std::vector<Chosen> all, chosen;
  for (std::size_t i = 0; i < outputs.size(); ++i) all.push_back({name_of(signature, i), &outputs[i], request.binary_output});
  if (request.outputs.empty()) return all;
  for (const OutputChoice& choice : request.outputs) {
    const auto found = std::ranges::find(all, choice.name, &Chosen::name);
    if (found == all.end()) return fail(ErrorCode::BadInput, fmt::format("the model has no output {}", in_quotes(choice.name)));
    chosen.push_back({found->name, found->tensor, choice.binary.value_or(request.binary_output)});
  }
  return chosen;
}

Result<void> append_output(std::string& json, const Chosen& output) {
  const tensor::TensorView& tensor = *output.tensor;
  json += fmt::format(R"({{"name":{},"datatype":"{}","shape":[)", json_string(output.name), datatype(tensor.dtype));
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) fmt::format_to(std::back_inserter(json), "{}{}", i > 0 ? "," : "", tensor.shape[i]);
  if (output.binary) {
    fmt::format_to(std::back_inserter(json), R"(],"parameters":{{"binary_data_size":{}}}}})", tensor.bytes);
    return {};
  }
  json += R"(],"data":[)";
  const bool said = tensor::visit_element(tensor.dtype, [&]<class Element>(Element) { return append_data<Element>(json, tensor); });
  if (!said) {
    return fail(ErrorCode::BadInput, fmt::format("output {} has NaN or infinity, which JSON can't say", in_quotes(output.name)),
                "ask for binary outputs: parameters.binary_data_output = true");
  }
  json += "]}";
  return {};
}

}  // namespace

Result<Encoded> encode_response(std::string_view model, std::string_view version, const InferRequest& request, const Signature& signature,
                                std::span<const tensor::TensorView> outputs) {
  LAPSE_TRY(const auto chosen, choose(request, signature, outputs));
  Encoded encoded;
  std::string& body = encoded.body;
  body = fmt::format(R"({{"model_name":{},"model_version":{})", json_string(model), json_string(version));
  if (!request.id.empty()) body += fmt::format(R"(,"id":{})", json_string(request.id));
  body += R"(,"outputs":[)";
  for (const Chosen& output : chosen) {
    if (&output != &chosen.front()) body += ',';
    LAPSE_CHECK(append_output(body, output));
  }
  body += "]}";
  if (std::ranges::none_of(chosen, &Chosen::binary)) return encoded;
  encoded.header_length = body.size();
  std::size_t bytes = body.size();
  for (const Chosen& output : chosen) bytes += output.binary ? output.tensor->bytes : 0;
  body.reserve(bytes);
  for (const Chosen& output : chosen) {
    if (output.binary) body.append(reinterpret_cast<const char*>(output.tensor->data), output.tensor->bytes);
  }
  return encoded;
}

}  // namespace lapse::serve::oip
