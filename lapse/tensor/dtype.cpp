#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <cmath>
#include <lapse/tensor/dtype.hpp>
#include <limits>

namespace lapse::tensor {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t bytes;
  bool floating;
  std::array<std::string_view, 3> short_forms;
};

constexpr std::array kRows{
    Row{DType::Bool, "bool", 1, false, {}},
    Row{DType::UInt8, "uint8", 1, false, {"u8"}},
    Row{DType::Int8, "int8", 1, false, {"i8"}},
    Row{DType::UInt16, "uint16", 2, false, {"u16"}},
    Row{DType::Int16, "int16", 2, false, {"i16", "short"}},
    Row{DType::UInt32, "uint32", 4, false, {"u32"}},
    Row{DType::Int32, "int32", 4, false, {"i32", "int"}},
    Row{DType::UInt64, "uint64", 8, false, {"u64"}},
    Row{DType::Int64, "int64", 8, false, {"i64", "long"}},
    Row{DType::Float16, "float16", 2, true, {"f16", "fp16", "half"}},
    Row{DType::BFloat16, "bfloat16", 2, true, {"bf16"}},
    Row{DType::Float32, "float32", 4, true, {"f32", "fp32", "float"}},
    Row{DType::Float64, "float64", 8, true, {"f64", "fp64", "double"}},
};
constexpr Row kUnknown{DType::Unknown, "unknown", 0, false, {}};

const Row& row(DType dtype) noexcept {
  const auto found = std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) { return candidate.dtype == dtype; });
  return found == kRows.end() ? kUnknown : *found;
}

}  // namespace

std::string_view name(DType dtype) noexcept { return row(dtype).name; }
std::size_t size_of(DType dtype) noexcept { return row(dtype).bytes; }
bool is_floating(DType dtype) noexcept { return row(dtype).floating; }

Result<DType> parse_dtype(std::string_view text) {
  std::string names;
  for (const Row& candidate : kRows) {
    const auto& forms = candidate.short_forms;
    if (!text.empty() && (text == candidate.name || std::find(forms.begin(), forms.end(), text) != forms.end())) return candidate.dtype;
    names += (names.empty() ? "" : ", ") + std::string(candidate.name);
  }
  return fail(ErrorCode::BadInput, fmt::format("'{}' is not an element type", text), "one of " + names);
}

float from_float16(std::uint16_t bits) noexcept {
  const bool negative = (bits & 0x8000U) != 0;
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  float magnitude = 0.0F;
  if (exponent == 0x1F) {
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
  }
  return std::copysign(magnitude, negative ? -1.0F : 1.0F);
}

std::uint16_t to_float16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const auto with_sign = [&](std::uint32_t magnitude) { return static_cast<std::uint16_t>(sign | magnitude); };
  const float magnitude = std::abs(value);
  if (std::isnan(value)) return with_sign(0x7E00U);
  if (magnitude >= 65520.0F) return with_sign(0x7C00U);  // half way from the largest finite value, 65504, to the next power
  if (magnitude < 0x1p-14F) {                            // subnormal: a multiple of 2^-24, which the addition below rounds to
    const float rounded = magnitude + 0x1p-1F;           // the last bit of a float in [0.5, 1) is 2^-24
    return with_sign(std::bit_cast<std::uint32_t>(rounded) - std::bit_cast<std::uint32_t>(0x1p-1F));
  }
  std::uint32_t rebiased = (bits & 0x7FFFFFFFU) - ((127U - 15U) << 23);
  rebiased += 0x0FFFU + ((rebiased >> 13) & 1U);  // half of the last kept bit, less one where that bit is even
  return with_sign(rebiased >> 13);
}

float from_bfloat16(std::uint16_t bits) noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t to_bfloat16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);  // the rounding below could carry a NaN into infinity
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace lapse::tensor
