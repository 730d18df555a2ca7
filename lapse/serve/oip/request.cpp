#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <lapse/serve/oip/request_reader.hpp>
#include <lapse/serve/oip/words.hpp>
#include <new>
#include <utility>

namespace lapse::serve::oip {
namespace {

static_assert(std::endian::native == std::endian::little, "binary tensors are little-endian, and are copied as they are");

Result<RequestReader> read(std::string_view json, const Limits& limits) {
  RequestReader reader(json.size(), limits, nullptr);
  const auto failed = [](const RequestReader& at) {
    return tl::unexpected(at.error().value_or(Error{ErrorCode::BadInput, "the request is not JSON", ""}));
  };
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &reader)) return failed(reader);
  if (!reader.unfinished()) return reader;
  // Keys may stand in any order. The rare request whose data come first is read twice instead of being kept in another form.
  for (InputPart& input : reader.inputs()) input.tensor = {};
  RequestReader again(json.size(), limits, &reader.inputs());
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &again)) return failed(again);
  return again;
}

Result<void> take_binary(InputPart& input, std::string_view& rest) {
  const auto refuse = [&](std::string message) {
    return fail(ErrorCode::BadInput, fmt::format("input {}: {}", in_quotes(input.name), message));
  };
  const auto bytes = tensor::byte_size(*input.dtype, *input.shape);
  if (!bytes || *bytes != *input.binary_size) {
    return refuse(fmt::format("{} of shape {} does not take the {} bytes that binary_data_size says", datatype(*input.dtype),
                              tensor::to_string(*input.shape), *input.binary_size));
  }
  if (*bytes > rest.size()) return refuse(fmt::format("{} bytes are announced, and {} are there", *bytes, rest.size()));
  LAPSE_TRY(input.tensor, tensor::Tensor::make(*input.dtype, *input.shape));
  if (*bytes > 0) std::memcpy(input.tensor.data(), rest.data(), *bytes);
  rest.remove_prefix(*bytes);
  const auto* values = reinterpret_cast<const unsigned char*>(input.tensor.data());
  if (*input.dtype == tensor::DType::Bool && std::any_of(values, values + *bytes, [](unsigned char value) { return value > 1; })) {
    return refuse("a BOOL is a byte of 0 or 1");
  }
  return {};
}

}  // namespace

Result<InferRequest> parse_request(std::string_view body, std::uint64_t header_length, const Limits& limits) try {
  if (header_length > body.size()) {
    return fail(ErrorCode::BadInput, fmt::format("the JSON is said to have {} bytes, and the request has {}", header_length, body.size()),
                "Inference-Header-Content-Length is the length of the JSON before the binary tensors");
  }
  const std::size_t json_bytes = header_length == 0 ? body.size() : static_cast<std::size_t>(header_length);
  LAPSE_TRY(RequestReader reader, read(body.substr(0, json_bytes), limits));
  std::string_view rest = body.substr(json_bytes);
  InferRequest request = std::move(reader.request());
  for (InputPart& input : reader.inputs()) {
    if (input.binary_size) LAPSE_CHECK(take_binary(input, rest));
    if (input.tensor.bytes() > limits.max_tensor_bytes) {
      return fail(ErrorCode::TooLarge, fmt::format("input {} has more than {} bytes", in_quotes(input.name), limits.max_tensor_bytes));
    }
    request.inputs.push_back({std::move(input.name), std::move(input.tensor)});
  }
  if (!rest.empty()) return fail(ErrorCode::BadInput, fmt::format("{} bytes too many behind the last tensor", rest.size()));
  return request;
} catch (const std::bad_alloc&) {
  return fail(ErrorCode::OutOfMemory, "no memory for this request", "send smaller requests, or fewer at a time");
}

}  // namespace lapse::serve::oip
