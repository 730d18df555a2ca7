#pragma once
// The Open Inference Protocol v2's infer request and response, in JSON and with Triton's binary tensor extension (spec d49cc23; header
// Inference-Header-Content-Length). Used by the front, which refuses what is wrong before it says yes, and by the worker, which runs it.
//
// Layout with binary tensors: header_length bytes of JSON, then the bytes of each input that carries parameters.binary_data_size, in the
// order of `inputs`; row-major, little-endian. Data in JSON may be nested or flat.
// Pure functions of bytes, any thread. Never trusts a number: sizes are checked for sign, overflow and against `limits` before anything is
// allocated.

#include <cstddef>
#include <cstdint>
#include <lapse/base/error.hpp>
#include <lapse/tensor/tensor.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::serve::oip {

/// What the protocol calls the types: "FP32", "INT64", "BOOL", "BF16", …; empty for Unknown.
std::string_view datatype(tensor::DType dtype) noexcept;
/// Error: BadInput for an unknown name, Unsupported for BYTES (no engine of lapse takes strings).
Result<tensor::DType> parse_datatype(std::string_view name);

struct Limits {
  std::size_t max_depth = 64;  // of JSON
  std::size_t max_tensors = 1024;
  std::size_t max_keys = 1024;  // of one object; each is remembered, as none may be there twice
  std::uint64_t max_tensor_bytes = 1ull << 30;
};

/// Triton's levels: 1 the highest, 21 the lowest, 11 (and 0) the ordinary one. Level l is our priority 11 − l.
constexpr int kPriorityLevels = 21, kOrdinaryLevel = 11;

struct OutputChoice {
  std::string name;
  std::optional<bool> binary;  // nothing: as the whole request says
};

struct InferRequest {
  std::string id;
  std::vector<tensor::NamedTensor> inputs;
  std::vector<OutputChoice> outputs;        // empty: all of them
  bool binary_output = false;               // parameters.binary_data_output
  std::optional<int> priority;              // parameters.priority, from Triton's levels to −10 … 10
  std::optional<std::uint64_t> timeout_us;  // parameters.timeout, microseconds, as Triton has it
};

/// Errors: BadInput (malformed JSON, wrong types, shape and bytes that disagree, trailing bytes, header_length beyond the body), TooLarge,
/// Unsupported. One line that names the input.
Result<InferRequest> parse_request(std::string_view body, std::uint64_t header_length, const Limits& limits = {});

/// The most that parse_request allocates for such a body: eight bytes for two characters of JSON, and binary tensors as they are.
constexpr std::uint64_t memory_for(std::uint64_t body, std::uint64_t header_length) noexcept {
  const std::uint64_t json = header_length == 0 || header_length > body ? body : header_length;
  return 4 * json + (body - json);
}

/// An input or output as metadata names it; -1 = variable. Nothing: the model does not tell (TorchScript).
struct Port {
  std::string name;
  tensor::DType dtype = tensor::DType::Unknown;
  std::optional<tensor::Shape> shape;
};

struct Signature {
  std::vector<Port> inputs, outputs;
};

/// Every input is there once, with the model's type and a shape that fits; outputs asked for exist. `finite`: NaN and infinities are
/// refused. Error: BadInput.
Result<void> check(const InferRequest& request, const Signature& signature, bool finite = false);

struct Encoded {
  std::string body;
  std::uint64_t header_length = 0;  // 0: JSON alone
  /// "application/json", or "application/octet-stream" with binary tensors.
  std::string_view content_type() const noexcept { return header_length == 0 ? "application/json" : "application/octet-stream"; }
};

/// `outputs` in the order of `signature.outputs`; those that the request chose, each as it asked. NaN and infinities can't be said in JSON:
/// BadInput then, with the hint to ask for binary.
Result<Encoded> encode_response(std::string_view model, std::string_view version, const InferRequest& request, const Signature& signature,
                                std::span<const tensor::TensorView> outputs);

}  // namespace lapse::serve::oip
