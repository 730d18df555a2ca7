#pragma once
// What `lapse time` can be told, and the plan that follows from it.

#include <CLI/CLI.hpp>
#include <lapse/measure/plan.hpp>
#include <string>
#include <vector>

#include "cli/model_options.hpp"
#include "cli/report_outputs.hpp"

namespace lapse::cli {

struct TimeOptions {
  std::string processes, child;  // empty: not given
  std::string model, percentile = "p90", budget = "30s", timeout = "60s", pin, idle, scenario = "single-stream";
  bool strict = false;
  std::int64_t warmup = -1;   // -1: not given
  std::size_t in_flight = 0;  // 0: not given
  std::string transfers, audit = "on";
  measuring::Plan numbers;  // those that need no reading
  EngineOptions engine;
  InputOptions inputs;
  ReportOutputs outputs;

  void add_to(CLI::App& command);
  /// What was given on the command line, but for MODEL and what belongs to the whole.
  std::vector<std::string> given() const;
  /// The files that are read.
  std::vector<std::string> read() const;
  /// A side of a comparison says what is measured, and not for how long. Error: BadUse.
  Result<void> check_side() const;
  /// Errors: BadUse (what doesn't go together).
  Result<measuring::Plan> read_plan() const;

 private:
  const CLI::App* app_ = nullptr;
};

}  // namespace lapse::cli
