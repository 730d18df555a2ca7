#pragma once
// Errors that a caller can meet, as values.
//
// An `Error` is a code, one line that says what is wrong, and a hint that says what to do next. Library exceptions are converted where the
// library is called; programmer errors are asserts. One table maps a code to the exit status of the program and to an HTTP status.

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace lapse {

enum class ErrorCode {
  BadUse,          // the command line or an argument is wrong
  BadInput,        // a file, shape, type or value that was given does not fit
  BadModel,        // the model file is missing, damaged or not a model
  Unsupported,     // a sound model asks for something that the engine does not have
  OutOfMemory,     // what was asked for does not fit into this machine
  EngineUnusable,  // the engine or its library is absent or of another version
  DeviceUnusable,  // the device is absent, lost or out of reach
  WrongAnswer,     // the outputs are not the expected ones
  Interrupted,     // the user stopped it
  Internal,        // a fault of lapse or of the engine itself
  // What a server and its clients can meet besides:
  NotFound,      // there is no such model, job, blob or path
  Gone,          // it was there, and its time has passed
  Conflict,      // the name is taken by something else, or the state does not allow it
  TooLarge,      // more bytes than are taken
  Busy,          // a bounded queue is full: come again later
  Unauthorized,  // it is not known who asks
  Forbidden,     // it is known, and refused
  Unavailable,   // the disk, the database or the model can't serve just now
  Deadline,      // it was not done in the time that was given
  Cancelled,     // somebody cancelled it
};

struct Error {
  Error() = default;
  // Constructors, because g++ 12 destroys an aggregate twice that is written with braces in an expression with co_await.
  Error(ErrorCode what, std::string line, std::string remedy = {}) : code(what), message(std::move(line)), hint(std::move(remedy)) {}

  ErrorCode code = ErrorCode::Internal;
  std::string message;  // one line, no trailing full stop
  std::string hint;     // what to try next; may be empty
};

/// Name of the code as it stands in JSON and logs, such as "bad_model".
std::string_view name(ErrorCode code) noexcept;
/// Exit status: 2 bad use or input, 3 engine or device not usable, 4 wrong answer, 130 interrupted, 1 a fault of ours.
int exit_status(ErrorCode code) noexcept;
int http_status(ErrorCode code) noexcept;

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}

}  // namespace lapse

#define LAPSE_CONCAT_INNER(a, b) a##b
#define LAPSE_CONCAT(a, b) LAPSE_CONCAT_INNER(a, b)
/// `LAPSE_TRY(auto x, f());` declares x from the value of a Result, or returns its error.
#define LAPSE_TRY(declaration, expression) LAPSE_TRY_INNER(declaration, expression, LAPSE_CONCAT(lapse_try_, __LINE__))
#define LAPSE_TRY_INNER(declaration, expression, result)                         \
  auto result = (expression);                                                    \
  if (!result) return tl::unexpected<::lapse::Error>(std::move(result).error()); \
  declaration = std::move(*result)
/// `LAPSE_CHECK(f());` returns the error of a Result<void>, if there is one.
#define LAPSE_CHECK(expression)                                                              \
  do {                                                                                       \
    auto lapse_check = (expression);                                                         \
    if (!lapse_check) return tl::unexpected<::lapse::Error>(std::move(lapse_check).error()); \
  } while (false)
