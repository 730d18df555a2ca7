#include <algorithm>
#include <cmath>
#include <lapse/measure/median.hpp>
#include <lapse/measure/noise_floor.hpp>
#include <lapse/stats/student.hpp>
#include <numeric>
#include <random>

namespace lapse::measuring {
namespace {

constexpr std::size_t kFewestRuns = 3;      // of a block, that count
constexpr std::size_t kMostRuns = 100'000;  // work that takes no time would fill the memory
constexpr double kPower = 0.9;
constexpr int kBlocksOfAPair = 6;  // a block to warm up and two rounds

double nanoseconds(Duration time) { return static_cast<double>(time.count()); }

/// One instance of the work.
class Side {
 public:
  explicit Side(std::unique_ptr<Subject> subject) : subject_(std::move(subject)) {}

  /// How many runs fill that time. Warms up.
  Result<std::size_t> fill(Duration time) {
    const device::Instant begin = subject_->timeline().now();
    std::size_t runs = 0;
    for (; runs < kFewestRuns || (runs < kMostRuns && subject_->timeline().now() - begin < time); ++runs) LAPSE_CHECK(run());
    spent_ += subject_->timeline().now() - begin;
    return runs;
  }

  /// The median of `runs` after one that doesn't count.
  Result<Duration> block(std::size_t runs) {
    const device::Instant begin = subject_->timeline().now();
    LAPSE_CHECK(run());
    times_.clear();
    for (std::size_t i = 0; i < runs; ++i) {
      LAPSE_TRY(const Duration time, run());
      times_.push_back(time);
    }
    spent_ += subject_->timeline().now() - begin;
    return std::max(median_of(times_), Duration{1});  // a logarithm is taken of it
  }

  Duration spent() const { return spent_; }

 private:
  Result<Duration> run() {
    device::Timeline& timeline = subject_->timeline();
    const device::Instant begin = timeline.now();
    LAPSE_CHECK(subject_->submit(0, iteration_++));
    LAPSE_CHECK(timeline.synchronize());
    return timeline.now() - begin;
  }

  std::unique_ptr<Subject> subject_;
  std::size_t iteration_ = 0;
  std::vector<Duration> times_;
  Duration spent_{};
};

class Trial {
 public:
  Trial(const MakeSubject& make_a, const MakeSubject& make_b, const NoisePlan& plan, const NoiseHooks& hooks)
      : make_a_(make_a),
        make_b_(make_b),
        plan_(plan),
        hooks_(hooks),
        share_(plan.budget / static_cast<int>(plan.pairs)),
        coin_(plan.seed) {}

  Result<Contrast> operator()() {
    for (std::size_t pair = 0; pair < plan_.pairs && !stopped(); ++pair) LAPSE_CHECK(take_pair());
    found_.median_ns = nanoseconds(median_of(medians_));
    return std::move(found_);
  }

 private:
  bool stopped() const { return hooks_.stop != nullptr && hooks_.stop->load(std::memory_order_relaxed); }

  Result<void> take_pair() {
    LAPSE_TRY(auto subject_a, make_a_());
    LAPSE_TRY(auto subject_b, make_b_());
    Side a(std::move(subject_a)), b(std::move(subject_b));
    const Duration block = std::min(plan_.block, share_ / kBlocksOfAPair);
    LAPSE_TRY(const std::size_t filled, a.fill(block));
    LAPSE_CHECK(b.fill(block));
    if (runs_ == 0) runs_ = filled;  // the same for all pairs: a block is the same thing everywhere
    std::vector<double> log_ratios;
    Duration before{}, round{};
    do {
      before = a.spent() + b.spent();
      LAPSE_TRY(const double log_ratio, take_round(a, b));
      log_ratios.push_back(log_ratio);
      round = a.spent() + b.spent() - before;
      if (hooks_.after_round) hooks_.after_round();
    } while (round.count() > 0 && a.spent() + b.spent() + round <= share_ && !stopped());  // work that takes no time would never end
    found_.spent += a.spent() + b.spent();
    found_.runs += 2 * runs_ * log_ratios.size();
    if (stopped()) return {};
    found_.log_ratios.push_back(std::accumulate(log_ratios.begin(), log_ratios.end(), 0.0) / static_cast<double>(log_ratios.size()));
    return {};
  }

  Result<double> take_round(Side& a, Side& b) {
    const bool b_first = (coin_() & 1) != 0;
    Duration time_a{}, time_b{};
    if (b_first) {
      LAPSE_TRY(time_b, b.block(runs_));
    }
    LAPSE_TRY(time_a, a.block(runs_));
    if (!b_first) {
      LAPSE_TRY(time_b, b.block(runs_));
    }
    medians_.push_back(time_a);
    return std::log(nanoseconds(time_b) / nanoseconds(time_a));
  }

  const MakeSubject& make_a_;
  const MakeSubject& make_b_;
  const NoisePlan& plan_;
  const NoiseHooks& hooks_;
  const Duration share_;  // of a pair
  std::mt19937_64 coin_;
  std::size_t runs_ = 0;  // of a block
  std::vector<Duration> medians_;
  Contrast found_;
};

struct Spread {
  double mean = 0.0;
  double standard_error = 0.0;
  double degrees = 0.0;
};

std::optional<Spread> spread(const std::vector<double>& values) {
  if (values.size() < kFewestPairs) return std::nullopt;
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return Spread{mean, std::sqrt(squares / (n - 1) / n), n - 1};
}

double half_width(const Spread& spread) {
  return stats::student_quantile((1 + stats::kConfidence) / 2, spread.degrees) * spread.standard_error;
}

}  // namespace

Result<Contrast> contrast(const MakeSubject& make_a, const MakeSubject& make_b, const NoisePlan& plan, const NoiseHooks& hooks) {
  return Trial(make_a, make_b, plan, hooks)();
}

std::optional<stats::Estimate> ratio(const Contrast& contrast) {
  const auto found = spread(contrast.log_ratios);
  if (!found) return std::nullopt;
  const double half = half_width(*found);
  return stats::Estimate{.value = std::exp(found->mean),
                         .low = std::exp(found->mean - half),
                         .high = std::exp(found->mean + half),
                         .effective = found->degrees + 1};
}

std::optional<NoiseFloor> noise_floor(const Contrast& contrast) {
  const auto found = spread(contrast.log_ratios);
  if (!found) return std::nullopt;
  const double half = half_width(*found);
  const double power = stats::student_quantile(kPower, found->degrees) * found->standard_error;
  return NoiseFloor{.unseen = std::expm1(half), .found = std::expm1(half + power)};
}

}  // namespace lapse::measuring
