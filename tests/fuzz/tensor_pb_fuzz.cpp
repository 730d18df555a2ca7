#include <cstdlib>
#include <lapse/tensor/onnx_pb.hpp>

using namespace lapse::tensor;

// What is read has the size that its shape and type take.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = parse_tensor_pb({reinterpret_cast<const std::byte*>(data), size});
  if (parsed && byte_size(parsed->tensor.dtype(), parsed->tensor.shape()) != parsed->tensor.bytes()) std::abort();
  return 0;
}
