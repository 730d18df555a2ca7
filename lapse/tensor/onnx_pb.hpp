#pragma once
// One tensor of the ONNX test-data layout: a serialised TensorProto (test_data_set_N/{input,output}_N.pb).
// Field numbers and encodings: ONNX IR specification, onnx.proto, message TensorProto.

#include <filesystem>
#include <lapse/tensor/tensor.hpp>
#include <span>

namespace lapse::tensor {

/// Errors: BadInput (damaged, or data that does not fill the shape), Unsupported (string, complex, float8, external data; also what is a
/// SequenceProto or an OptionalProto rather than a tensor, where that can be told), OutOfMemory. Safe on hostile bytes.
Result<NamedTensor> parse_tensor_pb(std::span<const std::byte> file);
Result<NamedTensor> read_tensor_pb(const std::filesystem::path& path);

}  // namespace lapse::tensor
