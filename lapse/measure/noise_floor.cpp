#include <algorithm>
#include <cmath>
#include <lapse/measure/median.hpp>
#include <lapse/measure/noise_floor.hpp>
#include <lapse/stats/comparison.hpp>
#include <lapse/stats/student.hpp>
#include <random>
#include <utility>

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

  Result<Pairs> operator()() {
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
    std::vector<double> blocks_a, blocks_b;
    Duration before{}, round{};
    do {
      before = a.spent() + b.spent();
      LAPSE_TRY(const auto blocks, take_round(a, b));
      blocks_a.push_back(nanoseconds(blocks.first));
      blocks_b.push_back(nanoseconds(blocks.second));
      round = a.spent() + b.spent() - before;
      if (hooks_.after_round) hooks_.after_round();
    } while (round.count() > 0 && a.spent() + b.spent() + round <= share_ && !stopped());  // work that takes no time would never end
    found_.spent += a.spent() + b.spent();
    found_.runs += 2 * runs_ * blocks_a.size();
    if (stopped()) return {};
    found_.log_ratios.push_back(stats::mean_log_ratio(blocks_a, blocks_b));
    return {};
  }

  /// The medians of a block of A and of one of B.
  Result<std::pair<Duration, Duration>> take_round(Side& a, Side& b) {
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
    return std::pair(time_a, time_b);
  }

  const MakeSubject& make_a_;
  const MakeSubject& make_b_;
  const NoisePlan& plan_;
  const NoiseHooks& hooks_;
  const Duration share_;  // of a pair
  std::mt19937_64 coin_;
  std::size_t runs_ = 0;  // of a block
  std::vector<Duration> medians_;
  Pairs found_;
};

std::optional<stats::Contrast> contrast_of(const Pairs& pairs) {
  if (pairs.log_ratios.size() < kFewestPairs) return std::nullopt;
  return stats::paired(pairs.log_ratios);
}

double half_width(const stats::Contrast& contrast) {
  return stats::student_quantile((1 + stats::kConfidence) / 2, contrast.degrees) * contrast.standard_error;
}

}  // namespace

Result<Pairs> measure_pairs(const MakeSubject& make_a, const MakeSubject& make_b, const NoisePlan& plan, const NoiseHooks& hooks) {
  return Trial(make_a, make_b, plan, hooks)();
}

std::optional<stats::Estimate> ratio(const Pairs& pairs) {
  const auto contrast = contrast_of(pairs);
  if (!contrast) return std::nullopt;
  const double half = half_width(*contrast);
  return stats::Estimate{.value = std::exp(contrast->log_ratio),
                         .low = std::exp(contrast->log_ratio - half),
                         .high = std::exp(contrast->log_ratio + half),
                         .effective = static_cast<double>(pairs.log_ratios.size())};
}

std::optional<NoiseFloor> noise_floor(const Pairs& pairs) {
  const auto contrast = contrast_of(pairs);
  if (!contrast) return std::nullopt;
  const double critical = stats::student_quantile((1 + stats::kConfidence) / 2, contrast->degrees);
  const double found = stats::noncentral_student_quantile(kPower, contrast->degrees, critical) * contrast->standard_error;
  // A thing that was just told from itself shows that more than this spread is at work.
  const double half = half_width(*contrast), seen = std::abs(contrast->log_ratio);
  const double bias = seen > half ? seen : 0.0;
  return NoiseFloor{.unseen = std::expm1(bias + half), .found = std::expm1(bias + found)};
}

}  // namespace lapse::measuring
