#pragma once
// Element types. The numbers are those of lapse_dtype in lapse/engine/abi.h.

#include <array>
#include <cstddef>
#include <cstdint>
#include <lapse/base/error.hpp>
#include <string_view>

namespace lapse::tensor {

enum class DType : std::int32_t {
  Unknown = 0,
  Bool,
  UInt8,
  Int8,
  UInt16,
  Int16,
  UInt32,
  Int32,
  UInt64,
  Int64,
  Float16,
  BFloat16,
  Float32,
  Float64,
};

/// "float32", "int64", "bool", … as they stand in reports and JSON; "unknown" for Unknown.
std::string_view name(DType dtype) noexcept;
/// Bytes of one element; 0 for Unknown.
std::size_t size_of(DType dtype) noexcept;
bool is_floating(DType dtype) noexcept;
/// Reads the full name or a short form ("f32", "fp16", "half", "i64", "long", "u8"). Error: BadInput, with the list.
Result<DType> parse_dtype(std::string_view text);

/// IEEE 754 binary16 and bfloat16, to and from float; round to nearest even, NaN stays NaN.
float from_float16(std::uint16_t bits) noexcept;
std::uint16_t to_float16(float value) noexcept;
float from_bfloat16(std::uint16_t bits) noexcept;
std::uint16_t to_bfloat16(float value) noexcept;

}  // namespace lapse::tensor
