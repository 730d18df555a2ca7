// Infer requests: any bytes are refused on one line or read, and what was read can be answered, as JSON and in binary.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <lapse/serve/oip/infer.hpp>
#include <string_view>

using namespace lapse;
using namespace lapse::serve;

namespace {

void demand(bool fact) {
  if (!fact) std::abort();
}

bool one_line(const Error& error) { return !error.message.empty() && error.message.find('\n') == std::string::npos; }

// What came in goes out again, and in again, and is the same.
void echo(const oip::InferRequest& request, bool binary) {
  oip::Signature signature;
  std::vector<tensor::TensorView> outputs;
  for (const auto& input : request.inputs) {
    signature.outputs.push_back({input.name, input.tensor.dtype(), input.tensor.shape()});
    outputs.push_back(input.tensor.view());
    demand(input.tensor.bytes() == tensor::byte_size(input.tensor.dtype(), input.tensor.shape()));
  }
  oip::InferRequest all;
  all.id = request.id;
  all.binary_output = binary;
  const auto encoded = oip::encode_response("m", "1", all, signature, outputs);
  if (!encoded) return demand(!binary && one_line(encoded.error()));
  std::string body = encoded->body;
  const auto json_bytes = encoded->header_length == 0 ? body.size() : static_cast<std::size_t>(encoded->header_length);
  const auto place = body.substr(0, json_bytes).rfind(R"("outputs":[)");  // a response reads as a request when its outputs are inputs
  demand(place != body.npos || request.inputs.empty());
  if (const auto first = body.find(R"(,"outputs":[)"); first != place - 1) return;  // a name that says so, too
  body.replace(place, 9,
               R"("inputs")"
               " ");
  const auto again = oip::parse_request(body, encoded->header_length);
  demand(again && again->inputs.size() == request.inputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& tensor = again->inputs[i].tensor;
    demand(tensor.bytes() == outputs[i].bytes && tensor.dtype() == outputs[i].dtype);
    demand(tensor.bytes() == 0 || std::memcmp(tensor.data(), outputs[i].data, tensor.bytes()) == 0);
  }
}

}  // namespace

// The first two bytes: length of the JSON, 0 for all of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint64_t header_length = data[0] | std::uint64_t{data[1]} << 8;
  const auto request = oip::parse_request({reinterpret_cast<const char*>(data) + 2, size - 2}, header_length);
  if (!request) {
    demand(one_line(request.error()));
    return 0;
  }
  echo(*request, false);
  echo(*request, true);
  return 0;
}
