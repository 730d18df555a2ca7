#pragma once
// This program once more, as a child: what it measures can run out of memory or crash without taking the parent with it, and what one
// process is lucky or unlucky with (where its memory lies) another one isn't.

#include <sys/types.h>

#include <array>
#include <csignal>
#include <functional>
#include <lapse/base/error.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::cli {

struct ChildEnd {
  int status = 0;        // as waitpid tells it
  bool stopped = false;  // by `go_on`
  std::string output;    // its stdout, but for what was heard of it
  std::string errors;    // the last 8 KiB of its stderr

  /// It ended by itself, with 0.
  bool well() const noexcept;
};

/// Asked at least five times a second while a child is waited for: false ends that.
using GoOn = std::function<bool()>;

/// A running child. It is no longer there when this object is gone, nor when this process is. What a terminal sends (Ctrl-C) reaches this
/// process alone. One thread at a time.
class Child {
 public:
  /// With those arguments, and with `environment` ("NAME=VALUE") besides this process's own. Error: Internal when no process can be made.
  static Result<Child> start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  /// A line to its stdin. One that has ended does not hear it.
  void say(std::string_view line);
  /// The next line of its stdout, without its end. Nothing when there are no more, or `go_on` said no.
  std::optional<std::string> hear(const GoOn& go_on);
  /// Until it ends. When `go_on` says no, it gets `signal`, and if that does not end it within 10 s, SIGKILL.
  ChildEnd wait(const GoOn& go_on, int signal = SIGKILL);

 private:
  Child(pid_t id, int talk, int errors) : id_(id), talk_(talk), errors_(errors) {}
  /// Waits for something to read, at most `milliseconds`, and reads it. False when there was nothing.
  bool take(int milliseconds);

  pid_t id_ = -1;    // -1: it was waited for
  int talk_ = -1;    // its stdin and stdout; -1: it has closed them
  int errors_ = -1;  // its stderr, likewise
  ChildEnd end_;
};

/// Runs it until it ends.
Result<ChildEnd> run_child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment, const GoOn& go_on);

/// Why a child ended that did not end well: what it said last, by LAPSE_ERRORS=json; or else that it crashed, or was killed, which is
/// OutOfMemory.
Error failure_of(const ChildEnd& end);

}  // namespace lapse::cli
