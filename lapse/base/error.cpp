#include <lapse/base/error.hpp>

#include <array>

namespace lapse {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
  int exit_status;
  int http_status;
};

// EX_SOFTWARE of <sysexits.h>: nothing that a program answers with, as 1 is where something was compared.
constexpr int kFault = 70;

// The one table from a code to what a shell and an HTTP client see.
constexpr std::array kRows{
    Row{ErrorCode::BadUse, "bad_use", 2, 400},
    Row{ErrorCode::BadInput, "bad_input", 2, 400},
    Row{ErrorCode::BadModel, "bad_model", 2, 422},
    Row{ErrorCode::Unsupported, "unsupported", 3, 422},
    Row{ErrorCode::OutOfMemory, "out_of_memory", 2, 507},
    Row{ErrorCode::EngineUnusable, "engine_unusable", 3, 503},
    Row{ErrorCode::DeviceUnusable, "device_unusable", 3, 503},
    Row{ErrorCode::WrongAnswer, "wrong_answer", 4, 500},
    Row{ErrorCode::Interrupted, "interrupted", 130, 503},
    Row{ErrorCode::NotFound, "not_found", 2, 404},
    Row{ErrorCode::Gone, "gone", 2, 410},
    Row{ErrorCode::Conflict, "conflict", 2, 409},
    Row{ErrorCode::TooLarge, "too_large", 2, 413},
    Row{ErrorCode::Busy, "busy", kFault, 429},
    Row{ErrorCode::Unauthorized, "unauthorized", 2, 401},
    Row{ErrorCode::Forbidden, "forbidden", 2, 403},
    Row{ErrorCode::Unavailable, "unavailable", kFault, 503},
    Row{ErrorCode::Deadline, "deadline", kFault, 504},
    Row{ErrorCode::Cancelled, "cancelled", kFault, 409},
    Row{ErrorCode::Internal, "internal", kFault, 500},
};

const Row& row(ErrorCode code) noexcept {
  for (const Row& candidate : kRows) {
    if (candidate.code == code) return candidate;
  }
  return kRows.back();
}

}  // namespace

std::string_view name(ErrorCode code) noexcept { return row(code).name; }
int exit_status(ErrorCode code) noexcept { return row(code).exit_status; }
int http_status(ErrorCode code) noexcept { return row(code).http_status; }

}  // namespace lapse
