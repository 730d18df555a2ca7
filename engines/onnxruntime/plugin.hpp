#pragma once
// The plug-in as a library, for a benchmark that links it and runs a loop of its own over the very session that lapse measures.

#include <lapse/engine/abi.h>
#include <onnxruntime_c_api.h>

namespace lapse::plugin::onnxruntime {

/// What lapse_engine_entry returns.
const lapse_engine_api& table() noexcept;

struct NativeSession {
  const OrtApi* api;
  OrtSession* session;  // owned by the lapse_session
};
/// `session` was made by table().load.
NativeSession native(lapse_session* session) noexcept;

}  // namespace lapse::plugin::onnxruntime
