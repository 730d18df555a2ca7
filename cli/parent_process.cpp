#include "cli/parent_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <lapse/host/rest.hpp>
#include <lapse/report/render.hpp>
#include <string>

#include "cli/turn_lines.hpp"

namespace lapse::cli {
namespace {

// Longer than pools of threads spin for by default.
constexpr Duration kRest = std::chrono::milliseconds{300};

}  // namespace

ParentProcess::ParentProcess() : talk_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {
  std::fflush(stdout);
  dup2(STDERR_FILENO, STDOUT_FILENO);
}

ParentProcess::~ParentProcess() { close(talk_); }

std::optional<measuring::Turn> ParentProcess::next(const measuring::Block& done) {
  if (asked_) {
    const auto begin = std::chrono::steady_clock::now();
    const bool rested = host::come_to_rest(kRest);
    measuring::Block told = done;
    told.took += std::chrono::steady_clock::now() - begin;
    say(line_of(TurnDone{told, rested}));
  } else {
    (void)host::come_to_rest(kRest);
    say(kReady);
    asked_ = true;
  }
  std::string line;
  std::getline(std::cin, line);
  return read_turn(line);  // anything else is the end
}

void ParentProcess::report(const report::Report& report) {
  say(kReport);
  say(report::to_json_text(report));
}

void ParentProcess::say(std::string_view line) {
  const std::string whole = fmt::format("{}\n", line);
  for (std::string_view rest = whole; !rest.empty();) {
    const ssize_t written = write(talk_, rest.data(), rest.size());
    if (written <= 0) return;  // the parent has gone, and this process goes with it
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace lapse::cli
