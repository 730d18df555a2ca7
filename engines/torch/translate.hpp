#pragma once
// LibTorch's exceptions as Failures with one short line: no back trace, no C++ source, and of a Python traceback only what it ends with.

#include <string>
#include <utility>

#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin::libtorch {

enum class Stage { Load, Bind, Submit };

/// Inside a catch block: what is being handled, as a Failure. `subject` starts the message: the model's path, or empty.
Failure translated(Stage stage, const std::string& subject);

template <class Body>
decltype(auto) translate(Stage stage, const std::string& subject, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    throw translated(stage, subject);
  }
}

}  // namespace lapse::plugin::libtorch
