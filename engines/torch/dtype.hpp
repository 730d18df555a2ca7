#pragma once

#include <lapse/engine/abi.h>
#include <torch/script.h>
#include <torch/version.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace lapse::plugin::libtorch {

inline constexpr std::array kTypes = {
    std::pair{LAPSE_BOOL, at::kBool},      std::pair{LAPSE_UINT8, at::kByte},        std::pair{LAPSE_INT8, at::kChar},
    std::pair{LAPSE_INT16, at::kShort},    std::pair{LAPSE_INT32, at::kInt},         std::pair{LAPSE_INT64, at::kLong},
    std::pair{LAPSE_FLOAT16, at::kHalf},   std::pair{LAPSE_BFLOAT16, at::kBFloat16}, std::pair{LAPSE_FLOAT32, at::kFloat},
    std::pair{LAPSE_FLOAT64, at::kDouble},
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
    std::pair{LAPSE_UINT16, at::kUInt16},  std::pair{LAPSE_UINT32, at::kUInt32},     std::pair{LAPSE_UINT64, at::kUInt64},
#endif
};

/// LAPSE_DTYPE_UNKNOWN for complex numbers, quantized types and what is less than a byte wide.
constexpr lapse_dtype to_lapse(at::ScalarType type) noexcept {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  return LAPSE_DTYPE_UNKNOWN;
}

/// Nothing for a type that this LibTorch lacks.
constexpr std::optional<at::ScalarType> from_lapse(std::int32_t dtype) noexcept {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) return theirs;
  }
  return std::nullopt;
}

}  // namespace lapse::plugin::libtorch
