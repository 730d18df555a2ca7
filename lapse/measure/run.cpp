#include <algorithm>
#include <cmath>
#include <lapse/measure/disturbances.hpp>
#include <lapse/measure/loop.hpp>
#include <lapse/measure/run.hpp>
#include <lapse/measure/watchdog.hpp>
#include <lapse/stats/quantile.hpp>
#include <limits>

namespace lapse::measuring {
namespace {

using device::Instant;

// A batch is short enough for ten signs of life a second, and long enough that what happens between batches is rare.
constexpr Duration kBatchTime = std::chrono::milliseconds{100};
constexpr std::size_t kFirstBatch = 5;
// With several in flight, every batch ends with some of them idle: 20 rounds keep that below 5 % of it, a second mostly far below.
constexpr Duration kOfflineBatchTime = std::chrono::seconds{1};
constexpr std::size_t kOfflineRounds = 20;
// Intervals are looked at each time the sample has grown by a tenth: the sort stays cheap, and repeated looks few.
constexpr double kLookGrowth = 1.1;

// Warming up: windows of at least 5 runs and 50 ms; it is over when a window's median is no longer below 97 % of the one before, and
// takes a fifth of the budget at the most.
constexpr std::size_t kWarmupWindowRuns = 5;
constexpr Duration kWarmupWindowTime = std::chrono::milliseconds{50};
constexpr double kStillFaster = 0.97;
constexpr int kWarmupBudgetShare = 5;

std::vector<double> sorted_latencies(std::span<const Sample> samples) {
  std::vector<double> sorted;
  sorted.reserve(samples.size());
  for (const Sample& sample : samples) sorted.push_back(static_cast<double>(sample.end_to_end.count()));
  std::ranges::sort(sorted);
  return sorted;
}

class Run {
 public:
  Run(Subject& subject, Loop& loop, const Plan& plan, const Hooks& hooks, Examiner* examiner)
      : timeline_(subject.timeline()), loop_(loop), plan_(plan), hooks_(hooks), examiner_(examiner), begin_(timeline_.now()) {
    progress_.relative_error = std::numeric_limits<double>::infinity();
  }

  Result<Measurement> operator()() {
    LAPSE_CHECK(warm_up());
    LAPSE_CHECK(measure());
    return std::move(result_);
  }

 private:
  bool interrupted() const { return hooks_.stop != nullptr && hooks_.stop->load(std::memory_order_relaxed); }

  void enter_phase(const char* phase) {
    if (hooks_.watchdog != nullptr) hooks_.watchdog->phase(phase);
  }

  void tell(bool warming_up, std::size_t runs) {
    const Instant now = timeline_.now();
    if (!hooks_.progress || now < next_sign_of_life_) return;
    next_sign_of_life_ = now + kBatchTime;
    progress_.warming_up = warming_up;
    progress_.runs = runs;
    progress_.spent = now - begin_;
    hooks_.progress(progress_);
  }

  // Up to `count` runs into `samples`, which grows by what was done.
  Result<void> batch(std::vector<Sample>& samples, std::size_t count, Instant deadline) {
    const std::size_t before = samples.size();
    samples.resize(before + count);
    if (hooks_.watchdog != nullptr) hooks_.watchdog->publish(result_, &samples == &result_.samples ? before : 0);
    const Disturbances::Watch watch(hooks_.disturbances);
    auto done = loop_.run(std::span(samples).subspan(before), iteration_, {deadline, hooks_.stop});
    if (hooks_.watchdog != nullptr) {
      hooks_.watchdog->pulse().enter(Step::Own);
      hooks_.watchdog->withdraw();
    }
    samples.resize(before + (done ? *done : 0));
    if (!done) return tl::unexpected(std::move(done).error());
    iteration_ += *done;
    return {};
  }

  Result<void> warm_up() {
    enter_phase("the warm-up");
    std::vector<Sample> discarded;
    if (plan_.warmup) {
      while (discarded.size() < *plan_.warmup && !interrupted()) {
        LAPSE_CHECK(batch(discarded, std::min(*plan_.warmup - discarded.size(), batch_size(discarded)), Instant::max()));
        tell(true, discarded.size());
      }
    } else {
      LAPSE_CHECK(settle(discarded));
    }
    result_.warmup.discarded = discarded.size();
    const auto kept = std::span(discarded).first(std::min(discarded.size(), kWarmupSamples));
    result_.warmup.samples.assign(kept.begin(), kept.end());
    return {};
  }

  Result<void> settle(std::vector<Sample>& discarded) {
    const Instant deadline = begin_ + plan_.budget / kWarmupBudgetShare;
    double previous = std::numeric_limits<double>::infinity();
    result_.warmup.verdict = WarmupVerdict::TooShort;
    while (!interrupted() && timeline_.now() < deadline) {
      const std::size_t first = discarded.size();
      const Instant window_begin = timeline_.now();
      do {
        LAPSE_CHECK(batch(discarded, std::max(kWarmupWindowRuns, plan_.in_flight), deadline));
        tell(true, discarded.size());
      } while (timeline_.now() - window_begin < kWarmupWindowTime && timeline_.now() < deadline && !interrupted());
      const std::size_t runs = discarded.size() - first;
      if (runs < kWarmupWindowRuns) continue;  // the deadline cut this window short: no verdict from it
      const double median = stats::quantile(sorted_latencies(std::span(discarded).subspan(first)), 0.5);
      if (median >= kStillFaster * previous) {
        result_.warmup.verdict = WarmupVerdict::Settled;
        return {};
      }
      if (previous < std::numeric_limits<double>::infinity()) result_.warmup.verdict = WarmupVerdict::NotSettled;
      previous = median;
    }
    return {};
  }

  // So many runs that they take about the time of a batch, going by how long the last ones took.
  std::size_t batch_size(const std::vector<Sample>& samples) const {
    const bool offline = plan_.scenario == Scenario::Offline;
    const std::size_t least = offline ? kOfflineRounds * plan_.in_flight : 1;
    if (samples.empty()) return std::max(least, kFirstBatch);
    Duration longest{1};
    for (const Sample& sample : std::span(samples).last(std::min(samples.size(), kFirstBatch))) {
      longest = std::max(longest, sample.end_to_end);
    }
    const auto fitting = static_cast<std::size_t>((offline ? kOfflineBatchTime : kBatchTime) / longest) * (offline ? plan_.in_flight : 1);
    return std::clamp(fitting, least, std::max(least, 2 * samples.size() + kFirstBatch));
  }

  Result<void> measure() {
    enter_phase("the timed runs");
    const Instant deadline = begin_ + plan_.budget;
    std::vector<Sample>& samples = result_.samples;
    double next_look = 0;
    while (true) {
      // Runs that are done whatever the budget says. The last of them needs no care: a batch does at least one.
      const bool owed = samples.size() + 1 < plan_.min_runs;
      if (interrupted()) return finish(Stop::Interrupted);
      if (samples.size() >= plan_.max_runs) return finish(Stop::MaxRuns);
      if (samples.size() >= std::max<std::size_t>(plan_.min_runs, 1) && timeline_.now() >= deadline) return finish(Stop::Budget);

      std::size_t count = std::min(batch_size(samples), plan_.max_runs - samples.size());
      if (owed) count = std::min(count, plan_.min_runs - samples.size());
      const Instant batch_begin = timeline_.now();
      auto done = batch(samples, count, owed ? Instant::max() : deadline);
      if (done) result_.timed += timeline_.now() - batch_begin;  // the runs of a batch that failed are no samples
      if (done && examiner_ != nullptr) done = examiner_->look(samples.back());
      if (!done && samples.empty()) return done;
      if (!done) {
        result_.failure = std::move(done).error();
        return finish(Stop::Failed);
      }

      if (static_cast<double>(samples.size()) >= next_look) {
        next_look = static_cast<double>(samples.size()) * kLookGrowth;
        if (precise_enough()) return finish(Stop::Precision);
      }
      tell(false, samples.size());
    }
  }

  bool precise_enough() {
    const auto sorted = sorted_latencies(result_.samples);
    const auto median = stats::estimate_quantile(sorted, 0.5);
    if (!median) return false;
    progress_.median_ns = median->value;
    progress_.relative_error = median->relative_error();
    return sorted.size() >= std::max(plan_.precision_runs, plan_.min_runs) && result_.timed >= kMinTimeForPrecision &&
           progress_.relative_error <= plan_.precision;
  }

  Result<void> finish(Stop stop) {
    result_.stop = stop;
    return {};
  }

  device::Timeline& timeline_;
  Loop& loop_;
  const Plan& plan_;
  const Hooks& hooks_;
  Examiner* examiner_;
  const Instant begin_;
  std::size_t iteration_ = 0;
  Progress progress_;
  Instant next_sign_of_life_{Instant::min()};
  Measurement result_;
};

}  // namespace

std::string_view name(WarmupVerdict verdict) noexcept {
  switch (verdict) {
    case WarmupVerdict::Settled:
      return "settled";
    case WarmupVerdict::NotSettled:
      return "not-settled";
    case WarmupVerdict::TooShort:
      return "too-short";
    case WarmupVerdict::Fixed:
      break;
  }
  return "fixed";
}

Result<Measurement> run(Subject& subject, const Plan& plan, const Hooks& hooks, Examiner* examiner) {
  LAPSE_TRY(const auto loop, make_loop(subject, plan));
  return Run{subject, *loop, plan, hooks, examiner}();
}

}  // namespace lapse::measuring
