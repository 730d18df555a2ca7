#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <lapse/jobs/document.hpp>
#include <lapse/serve/observe/log.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 4> kShort{"DEBUG", "INFO", "WARNING", "ERROR"};
constexpr std::size_t kMessages = 1000;  // that are counted in one second; more are written uncounted

bool names_secret(std::string_view name) {
  constexpr std::array<std::string_view, 5> kSecrets{"token", "cookie", "authorization", "secret", "session"};
  std::string small(name);
  std::ranges::transform(small, small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::ranges::find(kSecrets, small) != kSecrets.end();
}

bool of_base64url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// Without what follows these words: tokens and cookies, wherever a client has put them.
std::string blot(std::string_view text) {
  std::string out(text);
  for (const std::string_view word : {"lapse_session=", "lapse_", "Bearer ", "bearer "}) {
    for (std::size_t at = out.find(word); at != std::string::npos; at = out.find(word, at)) {
      at += word.size();
      std::size_t end = at;
      while (end < out.size() && of_base64url(out[end])) ++end;
      if (end - at >= 20) out.replace(at, end - at, "…");  // shorter: a metric's name or a word
    }
  }
  return out;
}

std::string json_line(Level level, std::string_view message, const Observer::Fields& fields, jobs::Time now) {
  Json line{{"time", jobs::rfc3339(now)}, {"level", kLevels[static_cast<std::size_t>(level)]}, {"message", blot(message)}};
  for (const auto& [name, value] : fields) line[std::string(name)] = names_secret(name) ? "…" : blot(value);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// As JSON would write it, without the quotes where there is nothing to quote.
std::string shown(std::string_view text, bool quoted_if_spaced) {
  std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  // C1 controls are valid UTF-8, and a terminal may obey them.
  for (std::size_t at = quoted.find('\xc2'); at != std::string::npos; at = quoted.find('\xc2', at + 1)) {
    if (at + 1 < quoted.size() && static_cast<unsigned char>(quoted[at + 1]) < 0xa0) quoted.replace(at, 2, "?");
  }
  std::ranges::replace(quoted, '\x7f', '?');
  if (quoted_if_spaced && (text.empty() || text.find(' ') != std::string_view::npos)) return quoted;
  return quoted.substr(1, quoted.size() - 2);
}

std::string human_line(Level level, std::string_view message, const Observer::Fields& fields, jobs::Time now) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(now);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now - whole).count();
  std::string line = fmt::format("{:%H:%M:%S}.{:03} {:<7} {}", fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), milliseconds,
                                 kShort[static_cast<std::size_t>(level)], shown(blot(message), false));
  std::string_view gap = "  ";
  for (const auto& [name, value] : fields) {
    line += fmt::format("{}{}={}", std::exchange(gap, " "), name, names_secret(name) ? "…" : shown(blot(value), true));
  }
  return line + '\n';
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  const auto found = std::ranges::find(kLevels, text);
  if (found == kLevels.end())
    return fail(ErrorCode::BadInput, fmt::format("'{}' is no level of the log", text), "debug, info, warning, error");
  return static_cast<Level>(found - kLevels.begin());
}

Log::Log(int descriptor, Level least, bool json, jobs::Clock clock)
    : descriptor_(descriptor), least_(least), json_(json), clock_(std::move(clock)) {}

Log::~Log() { flush(); }

void Log::write(Level level, std::string_view message, const Observer::Fields& fields) {
  if (level < least_) return;
  const std::lock_guard lock(mutex_);
  const jobs::Time now = clock_();
  if (let_through(level, message, now)) print(level, message, fields, now);
}

void Log::flush() {
  const std::lock_guard lock(mutex_);
  sum_up(clock_());
}

bool Log::let_through(Level level, std::string_view message, jobs::Time now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != second_) {
    sum_up(now);
    second_ = second;
  }
  const std::pair key{level, std::string(message)};
  const auto found = counts_.find(key);
  if (found == counts_.end() && counts_.size() >= kMessages) return true;
  return ++counts_[key] <= kLinesOfOneMessage;
}

void Log::sum_up(jobs::Time now) {
  for (const auto& [key, count] : counts_) {
    if (count > kLinesOfOneMessage) print(key.first, key.second, {{"not_shown", std::to_string(count - kLinesOfOneMessage)}}, now);
  }
  counts_.clear();
}

void Log::print(Level level, std::string_view message, const Observer::Fields& fields, jobs::Time now) const {
  const std::string line = json_ ? json_line(level, message, fields, now) : human_line(level, message, fields, now);
  // One call, and no second try: a log that can't be written must not hold up the server.
  [[maybe_unused]] const auto written = ::write(descriptor_, line.data(), line.size());
}

}  // namespace lapse::serve
