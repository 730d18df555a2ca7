#pragma once
// Structured lines on stderr: JSON, or on a terminal a form for people. One write a line, so lines of several threads never mix.
// The same message more than kFlood times within a second is counted and said once a second instead.

#include <chrono>
#include <lapse/serve/observe/observer.hpp>
#include <map>
#include <mutex>
#include <string>

namespace lapse::serve {

class Log {
 public:
  /// `json` false: for people.
  Log(int descriptor, Level least, bool json) : descriptor_(descriptor), least_(least), json_(json) {}
  /// Any thread. Control characters are escaped; what is no UTF-8 is replaced.
  void write(Level level, std::string_view message, const Observer::Fields& fields);

  static constexpr int kFlood = 20;  // lines a second

 private:
  bool floods(std::string_view message, std::string& kept);

  struct Burst {
    std::chrono::steady_clock::time_point second{};
    int lines = 0;
    std::uint64_t held_back = 0;
  };
  const int descriptor_;
  const Level least_;
  const bool json_;
  std::mutex mutex_;
  std::map<std::string, Burst, std::less<>> bursts_;
};

}  // namespace lapse::serve
