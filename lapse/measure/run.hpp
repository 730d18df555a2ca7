#pragma once
// The measurement: cold, warm-up, timed runs.
//
// Every timed run is read off two or three times on the host's clock and, on an asynchronous subject, marked twice on the device's
// (lapse/measure/sample.hpp). Statistics and progress come between batches of runs, never between two readings; looks at the statistics
// grow rarer as the sample grows.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <lapse/measure/examiner.hpp>
#include <lapse/measure/plan.hpp>
#include <lapse/measure/sample.hpp>
#include <lapse/measure/subject.hpp>
#include <lapse/stats/course.hpp>
#include <optional>
#include <vector>

namespace lapse::measuring {

struct Warmup {
  std::size_t discarded = 0;
  bool asked = false;                    // as many as the plan asked for; otherwise until the times were steady
  Duration took{};                       // the discarded runs, end to end, all together
  Duration cost{};                       // what they took longer than the median of those that followed
  std::vector<stats::Segment> levels{};  // of those among them that had been timed, and turned out to be cold
  std::vector<Sample> samples{};         // of the discarded, the first kWarmupSamples: for showing how the times settled
};
inline constexpr std::size_t kWarmupSamples = 10'000;

struct Measurement {
  Warmup warmup;
  stats::Steadiness course;     // of the samples
  std::vector<Sample> samples;  // in the order of their submission
  Duration timed{};             // from the first timed submit until the last completion, pauses between batches left out
  Stop stop = Stop::Precision;
  std::optional<Error> failure;       // of Stop::Failed: what ended it; the samples are those of before
  std::vector<std::size_t> blocks{};  // how many of the samples each turn made, where they were made in turns

  /// Of all timed runs: that of the samples, or warm-up where they are flat because the cold ones were moved.
  stats::Course verdict() const noexcept {
    return course.verdict == stats::Course::Flat && !warmup.levels.empty() ? stats::Course::WarmUp : course.verdict;
  }
};

struct Progress {
  bool warming_up = true;
  std::size_t runs = 0;
  Duration spent{};             // of the budget
  double median_ns = 0.0;       // 0 while unknown
  double relative_error = 0.0;  // of the median so far; infinite while unknown
};

class Disturbances;
class Turns;
class Watchdog;

struct Hooks {
  std::function<void(const Progress&)> progress;  // called between batches, at most about ten times a second
  const std::atomic<bool>* stop = nullptr;        // becomes true when the user has had enough
  Watchdog* watchdog = nullptr;                   // is told what is waited for, and shown the complete runs; may be null
  Turns* turns = nullptr;                         // who says when to run (turns.hpp); null: the plan alone
  Disturbances* disturbances = nullptr;           // watches each batch of runs; may be null
};

/// Looks at the course of the samples. Where they begin with warm-up, it is moved to the discarded, unless the plan said how many those
/// are. False when it isn't known to be over: runs were moved just now; or those that were leave too few samples for a steady state, as
/// happens to times that never settle and seem to in each short look.
bool examine_course(Measurement& measurement);

/// Runs the plan. An error of the subject ends it; what had been timed until then is kept. `examiner` (may be null) has its looks between
/// batches. Errors: those of the subject before the first timed batch was complete.
Result<Measurement> run(Subject& subject, const Plan& plan, const Hooks& hooks = {}, Examiner* examiner = nullptr);

}  // namespace lapse::measuring
