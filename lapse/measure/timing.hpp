#pragma once
// The measurement of any subject, with all that tells whether to believe it. Knows no engine and no model.

#include <lapse/host/fingerprint.hpp>
#include <lapse/measure/evidence.hpp>
#include <lapse/measure/idle.hpp>
#include <lapse/measure/judge.hpp>
#include <lapse/measure/run.hpp>
#include <lapse/measure/tag.hpp>
#include <lapse/stats/summary.hpp>
#include <vector>

namespace lapse::measuring {

struct Timing {
  Measurement measurement;
  Evidence evidence;
  std::vector<Finding> findings;  // one a rule; none where there was no device to ask
  Bound bound = Bound::Unknown;
  Duration clock_cost{};          // the least that two readings of the clock, one after the other, differ by
  host::Disturbance disturbance;  // during warm-up and timed runs
  std::vector<Tag> tags;          // of the timed runs that were disturbed, in order
  std::vector<GapRuns> idle;      // of each pause in plan.idle
  double load_1min = 0.0;         // before them
};

/// Warm-up, timed runs, examination. `before` is time that was spent on the subject already: the audit may take its share of that too.
/// Errors: those of the subject before the first timed run; later ones are in the measurement.
Result<Timing> time_subject(Subject& subject, const Plan& plan, const Hooks& hooks = {}, Duration before = {});

/// Summaries of the series of a measurement. Nanoseconds.
struct Summaries {
  stats::Summary submit, device, end_to_end;
  stats::Summary h2d, d2h;  // count 0 where there are no such stages
};
Summaries summarise(const std::vector<Sample>& samples, bool staged);

}  // namespace lapse::measuring
