#include <cstdlib>
#include <lapse/tensor/npy.hpp>

using namespace lapse::tensor;

// What is read has the size that its shape and type take.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tensor = parse_npy({reinterpret_cast<const std::byte*>(data), size});
  if (tensor && byte_size(tensor->dtype(), tensor->shape()) != tensor->bytes()) std::abort();
  return 0;
}
