#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <lapse/jobs/document.hpp>
#include <lapse/serve/observe/log.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve {
namespace {

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};
constexpr std::size_t kMostMessages = 1000;  // that are watched for floods

std::string for_machines(Level level, std::string_view message, const Observer::Fields& fields) {
  nlohmann::ordered_json line{
      {"time", jobs::rfc3339(jobs::system_now())}, {"level", kLevels[static_cast<std::size_t>(level)]}, {"message", message}};
  for (const auto& [name, value] : fields) line[std::string(name)] = value;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string for_people(Level level, std::string_view message, const Observer::Fields& fields) {
  std::string line =
      fmt::format("{:%H:%M:%S} {:<7} {}", fmt::localtime(std::time(nullptr)), kLevels[static_cast<std::size_t>(level)], message);
  for (const auto& [name, value] : fields) line += fmt::format("  {}={}", name, value);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line + "\n";
}

}  // namespace

void Log::write(Level level, std::string_view message, const Observer::Fields& fields) {
  if (level < least_) return;
  std::string kept;
  const std::lock_guard lock{mutex_};
  if (floods(message, kept)) return;
  const std::string line = kept + (json_ ? for_machines(level, message, fields) : for_people(level, message, fields));
  // A log that can't be written is nobody's to be told of.
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, line.data(), line.size());
}

bool Log::floods(std::string_view message, std::string& kept) {
  const auto now = std::chrono::steady_clock::now();
  if (bursts_.size() > kMostMessages) bursts_.clear();
  Burst& burst = bursts_[std::string(message)];
  if (now - burst.second > std::chrono::seconds{1}) {
    if (burst.held_back > 0) {
      const std::string said = fmt::format("{} more lines like the next one were left out", burst.held_back);
      kept = json_ ? for_machines(Level::Warning, said, {}) : for_people(Level::Warning, said, {});
    }
    burst = {now, 0, 0};
  }
  if (++burst.lines <= kFlood) return false;
  ++burst.held_back;
  return true;
}

}  // namespace lapse::serve
