#pragma once
// NumPy's .npy format, versions 1.0 to 3.0 (numpy.lib.format): read what a user saved, write what a user compares.

#include <filesystem>
#include <lapse/tensor/tensor.hpp>
#include <span>

namespace lapse::tensor {

/// C or Fortran order, little or big endian; the tensor is row-major and native. bfloat16 has no .npy type.
/// Errors: BadInput (not .npy, truncated, trailing bytes, object or string or complex type), OutOfMemory. Safe on hostile bytes.
Result<Tensor> parse_npy(std::span<const std::byte> file);
Result<Tensor> read_npy(const std::filesystem::path& path);
/// Version 1.0, C order, little endian. bfloat16 is written as float32. Error: BadInput when the file can't be written.
Result<void> write_npy(const std::filesystem::path& path, const TensorView& tensor);

}  // namespace lapse::tensor
