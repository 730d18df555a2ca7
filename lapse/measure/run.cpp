#include <algorithm>
#include <cmath>
#include <lapse/measure/disturbances.hpp>
#include <lapse/measure/loop.hpp>
#include <lapse/measure/run.hpp>
#include <lapse/measure/settling.hpp>
#include <lapse/measure/watchdog.hpp>
#include <lapse/stats/quantile.hpp>
#include <lapse/stats/summary.hpp>
#include <limits>

namespace lapse::measuring {
namespace {

using device::Instant;

// A batch is short enough to tell which runs were disturbed, and long enough that what happens between batches is rare: reading the
// counters twice takes 0.1 ms. From 25 ms on each run is a batch of its own.
constexpr Duration kBatchTime = std::chrono::milliseconds{25};
constexpr Duration kSignOfLife = std::chrono::milliseconds{100};
constexpr std::size_t kFirstBatch = 5;
// With several in flight, every batch ends with some of them idle: 20 rounds keep that below 5 % of it, a second mostly far below.
constexpr Duration kOfflineBatchTime = std::chrono::seconds{1};
constexpr std::size_t kOfflineRounds = 20;
// A rule that stops at the first narrow interval stops where chance made it narrow, and it is too narrow then. So looks are few, each at a
// sample that has grown by a quarter, and two in a row must agree: what is left of the effect is measured (bench/coverage).
constexpr double kLookGrowth = 1.25;
constexpr int kLooksInARow = 2;

// Warming up, roughly: windows of at least 5 runs and 50 ms; it is over when a window's median is no longer below 97 % of the one before,
// and takes a fifth of the budget at the most. The course of the timed runs tells afterwards whether that was enough.
constexpr std::size_t kWarmupWindowRuns = 5;
constexpr Duration kWarmupWindowTime = std::chrono::milliseconds{50};
constexpr int kWarmupBudgetShare = 5;

std::vector<double> latencies(std::span<const Sample> samples) {
  std::vector<double> series;
  series.reserve(samples.size());
  for (const Sample& sample : samples) series.push_back(static_cast<double>(sample.end_to_end.count()));
  return series;
}

double median(std::vector<double> series) {
  std::ranges::sort(series);
  return stats::quantile(series, 0.5);
}

Duration end_to_end(std::span<const Sample> samples) {
  Duration sum{0};
  for (const Sample& sample : samples) sum += sample.end_to_end;
  return sum;
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
    next_sign_of_life_ = now + kSignOfLife;
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
    result_.warmup.asked = plan_.warmup.has_value();
    std::vector<Sample>& discarded = result_.warmup.samples;
    if (plan_.warmup) {
      while (discarded.size() < *plan_.warmup && !interrupted()) {
        LAPSE_CHECK(batch(discarded, std::min(*plan_.warmup - discarded.size(), batch_size(discarded)), Instant::max()));
        tell(true, discarded.size());
      }
    } else {
      LAPSE_CHECK(settle(discarded));
    }
    result_.warmup.discarded = discarded.size();
    result_.warmup.took = end_to_end(discarded);
    return {};
  }

  Result<void> settle(std::vector<Sample>& discarded) {
    const Instant deadline = begin_ + plan_.budget / kWarmupBudgetShare;
    double previous = std::numeric_limits<double>::infinity();
    // As many as may be timed are enough in any case: in virtual time there is work that takes none.
    while (!interrupted() && timeline_.now() < deadline && discarded.size() < plan_.max_runs) {
      const std::size_t first = discarded.size();
      const Instant window_begin = timeline_.now();
      do {
        LAPSE_CHECK(batch(discarded, std::max(kWarmupWindowRuns, plan_.in_flight), deadline));
        tell(true, discarded.size());
      } while (timeline_.now() - window_begin < kWarmupWindowTime && timeline_.now() < deadline && discarded.size() < plan_.max_runs &&
               !interrupted());
      const std::size_t runs = discarded.size() - first;
      if (runs < kWarmupWindowRuns) continue;  // the deadline cut this window short: no verdict from it
      const double now = median(latencies(std::span(discarded).subspan(first)));
      if (!still_faster(now, previous)) return {};
      previous = now;
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
      if (samples.size() >= plan_.max_runs && still_enough()) return finish(Stop::MaxRuns);
      if (samples.size() >= std::max<std::size_t>(plan_.min_runs, 1) && timeline_.now() >= deadline && still_enough()) {
        return finish(Stop::Budget);
      }

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
        if (precise_enough()) return finish(Stop::Precision);
        next_look = static_cast<double>(samples.size()) * kLookGrowth;
      }
      tell(false, samples.size());
    }
  }

  bool precise_enough() {
    // First of all: a level among them that is past makes all runs look dependent, and no interval narrow.
    const bool settled = examine_course(result_);
    const auto summary = stats::summarise(latencies(result_.samples));
    if (summary.median) {
      progress_.median_ns = summary.median->value;
      progress_.relative_error = summary.median->relative_error();
    }
    const bool narrow = summary.median && progress_.relative_error <= plan_.precision && result_.samples.size() >= plan_.min_runs &&
                        result_.timed >= kMinTimeForPrecision && stats::supports(summary, plan_.percentile);
    narrow_looks_ = narrow && settled ? narrow_looks_ + 1 : 0;
    return narrow_looks_ == kLooksInARow;
  }

  // Also without the warm-up among them.
  bool still_enough() {
    examine_course(result_);
    return result_.samples.size() >= std::max<std::size_t>(plan_.min_runs, 1);
  }

  Result<void> finish(Stop stop) {
    result_.stop = stop;
    if (stop == Stop::Interrupted || stop == Stop::Failed) examine_course(result_);  // else it was just done
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
  int narrow_looks_ = 0;  // in a row
  Instant next_sign_of_life_{Instant::min()};
  Measurement result_;
};

}  // namespace

bool examine_course(Measurement& measurement) {
  Warmup& warmup = measurement.warmup;
  std::vector<Sample>& samples = measurement.samples;
  stats::Steadiness& course = measurement.course;
  const auto series = latencies(samples);
  course = stats::examine_course(series);
  const bool move = course.verdict == stats::Course::WarmUp && !warmup.asked;
  if (move) {
    const std::size_t cold = course.steady_from;
    const auto end = samples.begin() + static_cast<std::ptrdiff_t>(cold);
    // By their share, as it holds no pause between batches, and several may be in flight.
    const Duration took = end_to_end(std::span(samples).first(cold)), all = end_to_end(samples);
    const double share = all.count() > 0 ? static_cast<double>(took.count()) / static_cast<double>(all.count()) : 0.0;
    measurement.timed -= Duration{std::llround(share * static_cast<double>(measurement.timed.count()))};
    warmup.took += took;
    warmup.samples.insert(warmup.samples.end(), samples.begin(), end);
    warmup.discarded += cold;
    samples.erase(samples.begin(), end);
    const auto steady = std::ranges::find(course.segments, cold, &stats::Segment::first);
    warmup.levels.insert(warmup.levels.end(), course.segments.begin(), steady);
    course = {stats::Course::Flat, 0, {steady, course.segments.end()}, 0.0};
    for (stats::Segment& segment : course.segments) segment.first -= cold;
  }
  if (!samples.empty()) {
    const double steady = median(latencies(samples));
    const double cost = static_cast<double>(warmup.took.count()) - steady * static_cast<double>(warmup.discarded);
    warmup.cost = Duration{std::llround(std::max(0.0, cost))};
    // Too few for a verdict of their own; beside what was moved they are a level all the same.
    if (course.segments.empty() && !warmup.levels.empty()) course.segments = {{0, samples.size(), steady}};
  }
  warmup.samples.resize(std::min(warmup.samples.size(), kWarmupSamples));
  std::size_t moved = 0;
  for (const stats::Segment& level : warmup.levels) moved += level.count;
  const bool enough = static_cast<double>(samples.size()) >= stats::kSteadyShare * static_cast<double>(samples.size() + moved);
  if (!enough) course.verdict = stats::Course::NoSteadyState;
  return enough && !move;
}

Result<Measurement> run(Subject& subject, const Plan& plan, const Hooks& hooks, Examiner* examiner) {
  LAPSE_TRY(const auto loop, make_loop(subject, plan));
  return Run{subject, *loop, plan, hooks, examiner}();
}

}  // namespace lapse::measuring
