#pragma once
// Dense tensors in host memory: row-major (C order), contiguous, native byte order.

#include <cstddef>
#include <cstdint>
#include <lapse/base/error.hpp>
#include <lapse/tensor/dtype.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::tensor {

/// Every dimension ≥ 0; an empty shape is a scalar (one element), a 0 makes an empty tensor.
using Shape = std::vector<std::int64_t>;

/// "1x3x224x224"; "scalar" for an empty shape; a negative (dynamic) dimension prints as "?".
std::string to_string(std::span<const std::int64_t> shape);
/// Reads "1x3x224x224" (also with ',' between) or "scalar". Error: BadInput for anything else, negatives and overflow included.
Result<Shape> parse_shape(std::string_view text);
/// Elements and bytes; checked for overflow. Error: OutOfMemory when the product doesn't fit into 63 bits; BadInput for a negative
/// dimension.
Result<std::size_t> element_count(std::span<const std::int64_t> shape);
Result<std::size_t> byte_size(DType dtype, std::span<const std::int64_t> shape);

/// Somebody else's tensor: valid as long as its owner says. `data` may be null only if `bytes` is 0.
struct TensorView {
  DType dtype = DType::Unknown;
  std::span<const std::int64_t> shape;
  const std::byte* data = nullptr;
  std::size_t bytes = 0;
};

/// Owns its memory (64-byte aligned, as engines like it). Movable, not copyable. Not synchronised.
class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled. Errors: those of byte_size; OutOfMemory when the machine hasn't that much left (asked from 1 MiB on before it is
  /// taken, because an overcommitting kernel would say yes and kill the process later).
  static Result<Tensor> make(DType dtype, Shape shape);

  /// The same bits as another type of the same size: bfloat16 travels as uint16 in files that have no type for it.
  void reinterpret_as(DType dtype) noexcept;

  DType dtype() const noexcept { return dtype_; }
  const Shape& shape() const noexcept { return shape_; }
  std::size_t bytes() const noexcept { return bytes_; }
  std::byte* data() noexcept { return data_.get(); }
  const std::byte* data() const noexcept { return data_.get(); }
  TensorView view() const noexcept { return {dtype_, shape_, data_.get(), bytes_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  DType dtype_ = DType::Unknown;
  Shape shape_;
  std::size_t bytes_ = 0;
  std::unique_ptr<std::byte[], Free> data_;
};

struct NamedTensor {
  std::string name;  // may be empty: files in the ONNX test layout often leave it out
  Tensor tensor;
};

}  // namespace lapse::tensor
