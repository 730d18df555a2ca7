#pragma once
// Tensors on the library's side of the border.

#include <lapse/engine/abi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "owned.hpp"

namespace lapse::plugin::onnxruntime {

/// The memory at `data` as a tensor of the library, of the type and shape of `tensor`. The memory outlives it.
Owned<OrtValue> wrap(const OrtApi& api, const OrtMemoryInfo& memory, const lapse_tensor& tensor, void* data);

/// What `value`, output `name`, is and where its data lie; `dims` gets its shape. Throws Failure(UNSUPPORTED) for what is no tensor or of a
/// type that lapse can't pass.
lapse_tensor view_of(const OrtApi& api, OrtValue* value, const std::string& name, std::vector<std::int64_t>& dims);

}  // namespace lapse::plugin::onnxruntime
