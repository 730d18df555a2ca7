#include "values.hpp"

#include <cstddef>

#include <lapse/engine/plugin/ports.hpp>
#include "dtype.hpp"

namespace lapse::plugin::onnxruntime {

Owned<OrtValue> wrap(const OrtApi& api, const OrtMemoryInfo& memory, const lapse_tensor& tensor, void* data) {
  static char nothing = 0;  // an empty tensor still needs an address
  return make_owned<OrtValue>(api, api.ReleaseValue, Stage::Bind, {}, [&](OrtValue** out) {
    return api.CreateTensorWithDataAsOrtValue(&memory, data != nullptr ? data : &nothing, tensor.bytes, tensor.dims,
                                              static_cast<std::size_t>(tensor.rank), from_lapse(tensor.dtype), out);
  });
}

lapse_tensor view_of(const OrtApi& api, OrtValue* value, const std::string& name, std::vector<std::int64_t>& dims) {
  int is_tensor = 0;
  check(api, api.IsTensor(value, &is_tensor), Stage::Submit);
  if (is_tensor == 0) throw Failure(LAPSE_UNSUPPORTED, "output '" + name + "' is no tensor");
  const auto info = make_owned<OrtTensorTypeAndShapeInfo>(api, api.ReleaseTensorTypeAndShapeInfo, Stage::Submit, {},
                                                          [&](auto** out) { return api.GetTensorTypeAndShape(value, out); });
  ONNXTensorElementDataType type{};
  std::size_t rank = 0;
  std::size_t elements = 0;
  check(api, api.GetTensorElementType(info.get(), &type), Stage::Submit);
  check(api, api.GetDimensionsCount(info.get(), &rank), Stage::Submit);
  check(api, api.GetTensorShapeElementCount(info.get(), &elements), Stage::Submit);
  dims.resize(rank);
  check(api, api.GetDimensions(info.get(), dims.data(), rank), Stage::Submit);
  const lapse_dtype dtype = to_lapse(type);
  if (dtype == LAPSE_DTYPE_UNKNOWN) throw Failure(LAPSE_UNSUPPORTED, "output '" + name + "' is of a type that lapse can't pass");
  void* data = nullptr;
  check(api, api.GetTensorMutableData(value, &data), Stage::Submit);
  return {dtype, static_cast<std::int32_t>(rank), dims.data(), data, elements * size_of(dtype)};
}

}  // namespace lapse::plugin::onnxruntime
