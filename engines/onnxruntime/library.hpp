#pragma once
// Finds and opens the ONNX Runtime library at run time, so that the very library a person ships is the one measured.
//
// Order: the path asked for (option "library"), ORT_DYLIB_PATH, a library installed beside the plug-in, the one the build knows of, the
// system's. A path that a person gave is used or refused, never replaced by another.

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <optional>
#include <string>

namespace lapse::plugin::onnxruntime {

struct Library {
  const OrtApi* api = nullptr;
  std::string version;      // "1.30.0"
  std::uint32_t minor = 0;  // 30
  std::string path;         // of the file itself, links resolved
};

/// Throws Failure(ENGINE_UNUSABLE). The library stays loaded until the program ends: it keeps threads.
Library open_library(const std::optional<std::string>& asked);

}  // namespace lapse::plugin::onnxruntime
