#include "cli/console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace lapse::cli {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the signal handler writes it");

void handle_signal(int) { stop = true; }

}  // namespace

int print_error(const Error& error, report::Language language) {
  const char* form = std::getenv("LAPSE_ERRORS");
  if (form != nullptr && std::string_view(form) == "json") {
    const nlohmann::ordered_json line{{"code", name(error.code)}, {"message", error.message}, {"hint", error.hint}};
    std::fputs((line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n').c_str(), stderr);
    return exit_status(error.code);
  }
  const bool korean = language == report::Language::Korean;
  std::string text = fmt::format("lapse: {}{}\n", korean ? "오류: " : "", error.message);
  if (!error.hint.empty()) text += fmt::format("  {}: {}\n", korean ? "도움말" : "hint", error.hint);
  std::fputs(text.c_str(), stderr);  // which may be full: fmt::print would throw
  return exit_status(error.code);
}

bool unicode_terminal() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale = value;
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos || locale.find("UTF8") != locale.npos ||
           locale.find("utf-8") != locale.npos;
  }
  return false;
}

const std::atomic<bool>& stop_on_signal() {
  struct sigaction action {};
  action.sa_handler = handle_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop;
}

ProgressLine::ProgressLine(report::Language language) : language_(language), terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::loading(std::string_view model) {
  show(language_ == report::Language::Korean ? fmt::format("{} 불러오는 중…", model) : fmt::format("loading {}…", model));
}

void ProgressLine::show(const measuring::Progress& progress, Duration budget) {
  const bool korean = language_ == report::Language::Korean;
  const auto seconds = [](Duration duration) { return std::chrono::duration<double>(duration).count(); };
  std::string line = progress.warming_up ? (korean ? "예열 중" : "warming up") : (korean ? "측정 중" : "measuring");
  line += fmt::format(" · {}{}", progress.runs, korean ? "회" : " runs");
  if (!progress.warming_up && progress.median_ns > 0 && std::isfinite(progress.relative_error)) {
    line += fmt::format(" · {} ± {:.2f} %", format_nanoseconds(progress.median_ns), 100 * progress.relative_error);
  }
  line += fmt::format(" · {:.0f} / {:.0f} s", seconds(progress.spent), seconds(budget));
  show(line);
}

void ProgressLine::show(std::string_view line) {
  if (!terminal_) return;
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (!shown_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace lapse::cli
