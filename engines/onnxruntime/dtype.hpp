#pragma once

#include <lapse/engine/abi.h>
#include <onnxruntime_c_api.h>

#include <array>
#include <cstdint>
#include <utility>

namespace lapse::plugin::onnxruntime {

inline constexpr std::array<std::pair<lapse_dtype, ONNXTensorElementDataType>, 13> kTypes = {
    {{LAPSE_BOOL, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
     {LAPSE_UINT8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
     {LAPSE_INT8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
     {LAPSE_UINT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16},
     {LAPSE_INT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
     {LAPSE_UINT32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
     {LAPSE_INT32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
     {LAPSE_UINT64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64},
     {LAPSE_INT64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
     {LAPSE_FLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
     {LAPSE_BFLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
     {LAPSE_FLOAT32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
     {LAPSE_FLOAT64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE}}};

/// LAPSE_DTYPE_UNKNOWN for strings, complex numbers and what is less than a byte wide.
constexpr lapse_dtype to_lapse(ONNXTensorElementDataType type) noexcept {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  return LAPSE_DTYPE_UNKNOWN;
}

constexpr ONNXTensorElementDataType from_lapse(std::int32_t dtype) noexcept {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) return theirs;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

}  // namespace lapse::plugin::onnxruntime
