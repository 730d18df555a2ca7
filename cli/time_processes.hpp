#pragma once
// `lapse time --processes`: the measurement made in fresh processes, one after the other.

#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <lapse/report/report.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace lapse::cli {

struct ProcessesRequest {
  std::vector<std::string> arguments;  // of `lapse time`: what is measured and how, but for --budget
  std::size_t count = 0;               // 0: at least five, until the median is known as well as asked for, or the budget is spent
  Duration budget{};                   // of warm-up and timed runs of all together; where `count` is 0, of all that the processes do
  double precision = 0.01;
};

/// "6", or "auto", which is 0. Error: BadUse.
Result<std::size_t> parse_processes(const std::string& text);

struct Replicated {
  report::Report report;
  std::optional<Error> failure;  // of the process that ended it
};
/// One report of all processes that were complete when it ended: by itself, by Ctrl-C (Report::plan.stop is "interrupted"), or because one
/// failed ("failed"). An unfinished one counts only where it is the first. Errors: those of the first process.
Result<Replicated> time_in_processes(const ProcessesRequest& request, const Context& context);

}  // namespace lapse::cli
