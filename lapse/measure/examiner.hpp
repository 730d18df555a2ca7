#pragma once
// Gathers evidence about a subject on an asynchronous device: what the audit judges by (judge.hpp).
//
// Is the device still busy although a run is complete? It looks after a few runs of its own before the warm-up, and between batches of
// timed runs: a device-wide synchronise on a device that should be idle. After the timed runs it makes a few more: behind a backlog, and
// one whose outputs are fetched. None of its runs is a sample. It takes at most kShare of the time so far, or kLeast where that is more,
// and kFewestLooks runs whatever they take: they warm the device up as the warm-up itself would.

#include <lapse/base/error.hpp>
#include <lapse/measure/evidence.hpp>
#include <lapse/measure/plan.hpp>
#include <lapse/measure/sample.hpp>
#include <lapse/measure/subject.hpp>
#include <span>

namespace lapse::measuring {

/// One thread: that of the timed loop. The subject outlives it.
class Examiner {
 public:
  static constexpr double kShare = 0.01;
  static constexpr std::size_t kFewestLooks = 3;                     // fewer make no majority
  static constexpr Duration kLeast = std::chrono::milliseconds{50};  // or a short measurement would never be looked at

  /// Measures what asking costs, and looks after single runs. Errors: those of the subject and of the timeline.
  static Result<Examiner> make(Subject& subject, const Plan& plan);

  /// After a batch of runs, on a device that should be idle. `last` is its last run.
  Result<void> look(const Sample& last);
  /// What was seen until now.
  const Evidence& evidence() const noexcept { return evidence_; }
  /// After the timed runs, which took `time` together with all that came before them; `iterations` have been made.
  /// Errors: those of the subject and of the timeline.
  Result<void> finish(std::span<const Sample> samples, Duration time, std::size_t iterations);

 private:
  Examiner(Subject& subject, const Plan& plan);
  Result<Duration> synchronize_device();
  Result<Look> look_after(const Sample& run);
  Result<void> learn_costs();
  Result<void> look_at_single_runs();
  Result<void> run_behind_backlog();
  Result<Backlog> behind(Duration spin);
  Result<void> run_alone();
  Result<void> fetch();
  Duration left_to_spend() const { return evidence_.allowed - evidence_.spent; }

  Subject& subject_;
  device::Timeline& timeline_;
  device::Controls* controls_;  // null: there is nothing to examine
  const Plan& plan_;
  std::size_t iteration_ = 0;
  device::Instant begin_;
  device::Mark from_{}, to_{};
  Evidence evidence_;
};

}  // namespace lapse::measuring
