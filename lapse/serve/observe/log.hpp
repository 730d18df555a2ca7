#pragma once
// The server's log: one line an event on stderr, one write(2) a line, so that lines of several threads and processes never mix.
//
//   {"time":"2026-01-31T12:00:00.123456789Z","level":"warning","message":"worker crashed","model":"resnet","worker":"resnet/1#2"}
//   12:00:00.123 WARNING worker crashed  model=resnet worker=resnet/1#2        for people, on a terminal
//
// Secrets never get in: what looks like a token or a session cookie is blotted out wherever it stands, and so is every field that is named
// after one. Control characters are escaped: nobody can forge a line or steer a terminal.
// A flood is summed up: of one message at one level, the first kLinesOfOneMessage a second are written, and then how many more there were.
//
// Threads: any.

#include <cstdint>
#include <lapse/jobs/job.hpp>
#include <lapse/serve/observe/observer.hpp>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace lapse::serve {

/// "debug", "info", "warning", "error". Error: BadInput.
Result<Level> parse_level(std::string_view text);

class Log {
 public:
  static constexpr std::uint64_t kLinesOfOneMessage = 20;  // enough to see a pattern, few enough to read

  /// `json` false: for people.
  Log(int descriptor, Level least, bool json, jobs::Clock clock = jobs::system_now);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view message, const Observer::Fields& fields = {});
  /// Sums up what was held back.
  void flush();

 private:
  using Counts = std::map<std::pair<Level, std::string>, std::uint64_t, std::less<>>;
  bool let_through(Level level, std::string_view message, jobs::Time now);
  void sum_up(jobs::Time now);
  void print(Level level, std::string_view message, const Observer::Fields& fields, jobs::Time now) const;

  const int descriptor_;
  const Level least_;
  const bool json_;
  const jobs::Clock clock_;
  std::mutex mutex_;
  jobs::Time second_{};  // that counts_ is of
  Counts counts_;
};

}  // namespace lapse::serve
