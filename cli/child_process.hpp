#pragma once
// This program once more, as a child: what it measures can run out of memory or crash without taking the parent with it.

#include <functional>
#include <lapse/base/error.hpp>
#include <string>
#include <vector>

namespace lapse::cli {

struct ChildEnd {
  int status = 0;        // as waitpid tells it
  bool stopped = false;  // by `go_on`
  std::string errors;    // the last 8 KiB of its stderr
};

/// Runs it with those arguments and with `environment` ("NAME=VALUE") besides this process's own, until it ends. Its stdout goes nowhere.
/// `go_on` is asked five times a second; when it says no, the child is killed. A child does not outlive its parent. Error: Internal when no
/// process can be made.
Result<ChildEnd> run_child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                           const std::function<bool()>& go_on);

}  // namespace lapse::cli
