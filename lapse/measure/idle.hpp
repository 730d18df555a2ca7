#pragma once
// Latency against the pause before each inference: what a service with that much time between its requests sees. Clocks fall, caches and
// tables grow cold and threads go to sleep while nothing is asked for.
//
// Each gap is measured in blocks: some runs one after the other, with the pause before each. Blocks of all gaps take turns in rounds, in an
// order drawn anew for every round, so that what drifts touches all alike. The first runs of a block follow another gap's, and don't
// count. The pause is a sleep, as that of a service that waits for a request.
//
// Nothing is looked at before the time is over, so no look can choose when to stop.

#include <lapse/base/error.hpp>
#include <lapse/measure/plan.hpp>
#include <lapse/measure/run.hpp>
#include <lapse/measure/sample.hpp>
#include <lapse/measure/subject.hpp>
#include <optional>
#include <vector>

namespace lapse::measuring {

/// What was measured of one gap.
struct GapRuns {
  Duration gap{};                     // asked for
  std::vector<Sample> samples;        // those that count, in the order of their submission
  std::vector<std::size_t> blocks{};  // how many of them each block made; block i of every gap is of round i
  Duration slept{};                   // from the end of the run before until the call, median: a sleep ends late
  double mhz = 0.0;                   // the device's clock after a run, median over the blocks; 0: not known
};

struct IdleCurve {
  std::vector<GapRuns> gaps;  // in the order of plan.idle
  Stop stop = Stop::Budget;   // Budget, MaxRuns (of each gap), Interrupted or Failed
  std::optional<Error> failure;
};

/// Runs plan.idle, one inference at a time, until plan.budget is over (it begins with this call) or each gap has plan.max_runs; the first
/// round is made whatever the budget says. The runs are numbered from `first` on. An error of the subject ends it; what was measured stays.
IdleCurve measure_idle(Subject& subject, const Plan& plan, const Hooks& hooks, std::size_t first);

}  // namespace lapse::measuring
