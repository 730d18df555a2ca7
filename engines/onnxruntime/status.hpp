#pragma once
// ONNX Runtime's statuses as Failures with one short line. Its codes alone do not tell a damaged model from a missing operator, so the
// texts are read as well; where they do not decide, the stage does.

#include <onnxruntime_c_api.h>

#include <string>
#include <string_view>

#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin::onnxruntime {

enum class Stage { Open, Load, Bind, Submit };

/// `subject` starts the message: the model's path, or empty.
Failure failure_of(OrtErrorCode code, const std::string& text, Stage stage, std::string_view subject);

/// Releases `status`, and throws what it says.
[[noreturn]] void throw_status(const OrtApi& api, OrtStatus* status, Stage stage, std::string_view subject);

inline void check(const OrtApi& api, OrtStatus* status, Stage stage, std::string_view subject = {}) {
  if (status != nullptr) [[unlikely]]
    throw_status(api, status, stage, subject);
}

}  // namespace lapse::plugin::onnxruntime
