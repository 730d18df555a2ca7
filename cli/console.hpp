#pragma once
// The terminal: errors, progress and Ctrl-C.

#include <atomic>
#include <lapse/base/error.hpp>
#include <lapse/measure/run.hpp>
#include <lapse/report/render.hpp>
#include <string_view>

namespace lapse::cli {

/// One line on stderr that says what is wrong, one with a hint if there is one; or both and the code as one line of JSON, where the
/// environment has LAPSE_ERRORS=json. Returns the exit status.
int print_error(const Error& error, report::Language language);

/// True if stdout shows UTF-8 (by the locale's environment variables).
bool unicode_terminal();

/// Becomes true with the first SIGINT or SIGTERM; the second one ends the program as the system does.
const std::atomic<bool>& stop_on_signal();

/// A line on stderr that is overwritten; nothing at all when stderr is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(report::Language language);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void loading(std::string_view model);
  void show(const measuring::Progress& progress, Duration budget);
  void show(std::string_view line);
  void clear();

 private:
  report::Language language_;
  bool terminal_;
  bool shown_ = false;
};

}  // namespace lapse::cli
