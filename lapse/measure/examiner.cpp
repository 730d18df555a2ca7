#include <algorithm>
#include <lapse/measure/examiner.hpp>
#include <lapse/measure/flight.hpp>
#include <lapse/measure/loop.hpp>
#include <lapse/measure/median.hpp>
#include <lapse/stats/quantile.hpp>
#include <vector>

namespace lapse::measuring {
namespace {

constexpr int kCostRounds = 9;  // a median of 9 shrugs off four interruptions
constexpr std::size_t kSingleRuns = 9;
constexpr std::size_t kBacklogRuns = 9;
constexpr std::size_t kAloneRuns = 9;
// A call leaves gaps only while it is submitting: one that takes less than this share of the device's time can't stretch it noticeably.
constexpr double kShortSubmit = 0.05;
// The backlog has to outlast the call, which takes a little longer than usual now and then.
constexpr double kBacklogFactor = 1.5;
constexpr Duration kBacklogSlack = std::chrono::microseconds{200};

Sample medians(std::span<const Sample> samples) {
  return {{},
          median_of(samples, &Sample::submit),
          median_of(samples, &Sample::device),
          median_of(samples, &Sample::end_to_end),
          median_of(samples, &Sample::h2d),
          median_of(samples, &Sample::d2h)};
}

Duration scaled(Duration duration, double factor) {
  return Duration{static_cast<Duration::rep>(factor * static_cast<double>(duration.count()))};
}

Duration backlog_for(Duration submit) { return scaled(submit, kBacklogFactor) + kBacklogSlack; }

}  // namespace

Examiner::Examiner(Subject& subject, const Plan& plan)
    : subject_(subject),
      timeline_(subject.timeline()),
      controls_(plan.audit ? timeline_.controls() : nullptr),
      plan_(plan),
      begin_(timeline_.now()) {
  evidence_.examined = controls_ != nullptr;
}

Result<Examiner> Examiner::make(Subject& subject, const Plan& plan) {
  Examiner examiner{subject, plan};
  if (examiner.controls_ != nullptr) {
    LAPSE_CHECK(examiner.learn_costs());
    LAPSE_CHECK(examiner.look_at_single_runs());
  }
  return examiner;
}

Result<Duration> Examiner::synchronize_device() {
  const device::Instant begin = timeline_.now();
  LAPSE_CHECK(controls_->synchronize_device());
  return timeline_.now() - begin;
}

Result<void> Examiner::learn_costs() {
  const device::Instant begin = timeline_.now();
  LAPSE_TRY(from_, timeline_.make_mark());
  LAPSE_TRY(to_, timeline_.make_mark());
  std::vector<Duration> synchronizes, pairs;
  for (int i = 0; i < kCostRounds; ++i) {
    LAPSE_CHECK(timeline_.record(from_));
    LAPSE_CHECK(timeline_.record(to_));
    LAPSE_CHECK(controls_->synchronize_device());
    LAPSE_TRY(const Duration pair, timeline_.elapsed(from_, to_));
    LAPSE_TRY(const Duration synchronize, synchronize_device());
    pairs.push_back(pair);
    synchronizes.push_back(synchronize);
  }
  evidence_.empty_pair = median_of(pairs);
  evidence_.empty_synchronize = median_of(synchronizes);
  evidence_.spent += timeline_.now() - begin;
  return {};
}

Result<void> Examiner::look_at_single_runs() {
  const device::Instant begin = timeline_.now();
  Plan single;
  single.cold_cache = plan_.cold_cache;
  LAPSE_TRY(const auto loop, make_loop(subject_, single));
  Duration longest_submit{};
  while (evidence_.alone.size() < kFewestLooks || (evidence_.alone.size() < kSingleRuns && timeline_.now() - begin < kLeast / 2)) {
    LAPSE_CHECK(controls_->synchronize_device());
    Sample sample;
    LAPSE_CHECK(loop->run({&sample, 1}, iteration_++, {device::Instant::max(), nullptr}));
    LAPSE_TRY(const Look seen, look_after(sample));
    evidence_.alone.push_back(seen);
    longest_submit = std::max(longest_submit, sample.submit);
  }
  if (subject_.asynchronous()) {
    LAPSE_CHECK(controls_->synchronize_device());
    LAPSE_TRY(evidence_.single_backlog, behind(std::min(device::kLongestSpin, backlog_for(longest_submit))));
    LAPSE_CHECK(controls_->synchronize_device());
  }
  evidence_.spent += timeline_.now() - begin;
  return {};
}

Result<Look> Examiner::look_after(const Sample& run) {
  LAPSE_TRY(const Duration waited, synchronize_device());
  return Look{run.device, run.end_to_end, std::max(Duration{0}, waited - evidence_.empty_synchronize)};
}

Result<void> Examiner::look(const Sample& last) {
  if (controls_ == nullptr) return {};
  if (evidence_.between.size() >= kFewestLooks && evidence_.spent > scaled(timeline_.now() - begin_, kShare / 2)) return {};
  const device::Instant begin = timeline_.now();
  LAPSE_TRY(const Look seen, look_after(last));
  evidence_.between.push_back(seen);
  evidence_.spent += timeline_.now() - begin;
  return {};
}

Result<void> Examiner::finish(std::span<const Sample> samples, Duration time, std::size_t iterations) {
  if (controls_ == nullptr || samples.empty()) return {};
  iteration_ = iterations;
  evidence_.allowed = std::max(kLeast, scaled(time, kShare));
  const device::Instant begin = timeline_.now();
  const Duration looking = evidence_.spent;
  const auto tick = [&] { evidence_.spent = looking + (timeline_.now() - begin); };
  if (plan_.in_flight > 1 && subject_.asynchronous()) {
    LAPSE_CHECK(run_alone());
  } else {
    evidence_.idle = medians(samples);
  }
  tick();
  if (subject_.asynchronous()) {
    LAPSE_CHECK(run_behind_backlog());
    LAPSE_CHECK(fetch());
  }
  tick();
  return {};
}

Result<void> Examiner::run_alone() {
  LAPSE_TRY(Flight flight, Flight::make(subject_, 0));
  std::vector<Sample> alone;
  const device::Instant begin = timeline_.now();
  do {
    LAPSE_CHECK(flight.launch(iteration_++));
    LAPSE_TRY(const Sample sample, flight.land());
    alone.push_back(sample);
  } while (alone.size() < kAloneRuns && timeline_.now() - begin < left_to_spend() / 4);
  evidence_.idle = medians(alone);
  return {};
}

Result<void> Examiner::run_behind_backlog() {
  const auto& [start, submit, device, end_to_end, h2d, d2h] = *evidence_.idle;
  if (submit < scaled(device, kShortSubmit)) return {};
  evidence_.no_time_for_backlogs = true;
  Duration spin = backlog_for(submit);
  Duration expected = spin + end_to_end;
  while (evidence_.backlogs.size() < kBacklogRuns) {
    if (spin > device::kLongestSpin || expected > left_to_spend()) return {};
    const device::Instant begin = timeline_.now();
    LAPSE_TRY(const Backlog backlog, behind(spin));
    expected = timeline_.now() - begin;
    evidence_.spent += expected;
    evidence_.backlogs.push_back(backlog);
    evidence_.no_time_for_backlogs = false;
    if (!backlog.held) spin *= 2;  // the call took longer than the backlog lasted
  }
  return {};
}

Result<Backlog> Examiner::behind(Duration spin) {
  LAPSE_TRY(Flight flight, Flight::make(subject_, 0));
  if (plan_.cold_cache) LAPSE_CHECK(timeline_.flush_cache());
  LAPSE_CHECK(controls_->spin(spin));
  LAPSE_CHECK(flight.launch(iteration_++));
  LAPSE_TRY(const bool over, timeline_.passed(flight.begin()));
  LAPSE_TRY(const Sample sample, flight.land());
  return Backlog{sample.device, !over};
}

Result<void> Examiner::fetch() {
  LAPSE_TRY(Flight flight, Flight::make(subject_, 0));
  LAPSE_CHECK(flight.launch(iteration_));
  LAPSE_CHECK(flight.land());
  LAPSE_CHECK(controls_->synchronize_device());
  LAPSE_CHECK(timeline_.record(from_));
  LAPSE_CHECK(subject_.fetch(0, iteration_++));
  LAPSE_CHECK(timeline_.record(to_));
  LAPSE_CHECK(controls_->synchronize_device());
  LAPSE_TRY(evidence_.fetch, timeline_.elapsed(from_, to_));
  return {};
}

}  // namespace lapse::measuring
