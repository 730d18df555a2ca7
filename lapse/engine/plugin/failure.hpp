#pragma once
// How a plug-in says no: inside it a failure is an exception; at the C interface it is a status and two texts that belong to the thread.

#include <lapse/engine/abi.h>

#include <exception>
#include <string>
#include <utility>

namespace lapse::plugin {

class Failure : public std::exception {
 public:
  /// `message` and `hint` become one line each, whatever they hold.
  explicit Failure(lapse_status status, std::string message, std::string hint = {})
      : status_(status), message_(std::move(message)), hint_(std::move(hint)) {}

  lapse_status status() const noexcept { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }
  const char* hint() const noexcept { return hint_.c_str(); }

 private:
  lapse_status status_;
  std::string message_;
  std::string hint_;
};

/// The texts of the last failure on the calling thread; empty when there was none.
const char* last_message() noexcept;
const char* last_hint() noexcept;

/// Inside a catch block: keeps the texts of what is being handled and returns its status. Allocates nothing.
lapse_status remember_failure() noexcept;

/// Runs `body`; whatever it throws ends here.
template <class Body>
lapse_status guarded(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
    return LAPSE_OK;
  } catch (...) {
    return remember_failure();
  }
}

}  // namespace lapse::plugin
