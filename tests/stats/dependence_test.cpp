#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <lapse/stats/dependence.hpp>
#include <lapse/stats/quantile.hpp>
#include <lapse/stats/summary.hpp>
#include <tuple>
#include <vector>

#include "noise.hpp"

namespace lapse::stats {
namespace {

// How many runs stand for an independent one, the mean over some series.
double inflation(double phi, double p, std::size_t count) {
  constexpr int kSeries = 20;
  double sum = 0.0;
  for (int seed = 0; seed < kSeries; ++seed) {
    const auto series = Noise(static_cast<std::uint64_t>(seed)).around_one(count, 0.03, phi);
    auto sorted = series;
    std::ranges::sort(sorted);
    sum += static_cast<double>(count) / Dependence(series).effective_size(p, quantile(sorted, p));
  }
  return sum / kSeries;
}

TEST(Dependence, independent_runs_count_whole) {
  for (const double p : {0.5, 0.99}) {
    EXPECT_GE(inflation(0.0, p, 2000), 1.0);
    EXPECT_LT(inflation(0.0, p, 2000), 1.05);
  }
}

// Exact values: 1 + 2 sum of the indicators' correlations, which Plackett's integral gives for every lag (the median's: arcsine law).
TEST(Dependence, of_AR1_is_that_of_the_quantiles_own_indicators) {
  // An initial sequence ends in noise, and stops when that happens to be negative: it errs to the safe side.
  for (const auto& [phi, p, exact] :
       {std::tuple{0.9, 0.5, 13.28}, std::tuple{0.9, 0.99, 5.86}, std::tuple{0.5, 0.5, 2.31}, std::tuple{0.5, 0.99, 1.35}}) {
    EXPECT_GT(inflation(phi, p, 20'000), 0.98 * exact) << phi << ' ' << p;
    EXPECT_LT(inflation(phi, p, 20'000), 1.15 * exact) << phi << ' ' << p;
  }
}

TEST(Dependence,
     short_series_are_worth_less_still_as_their_dependence_is_uncertain) {  // 13.3 of many runs; sums of sample autocovariances lack a
                                                                            // part, and Student's t is wider than the normal.
  EXPECT_GT(inflation(0.9, 0.5, 400), 22.5);
  EXPECT_GT(inflation(0.9, 0.5, 200), 40.0);
}

TEST(Dependence, spikes_that_come_alone_are_no_dependence) {
  Noise noise(7);
  std::vector<double> series = noise.around_one(2000, 0.03);
  for (double& value : series) value *= noise.uniform() < 0.02 ? 10.0 : 1.0;
  auto sorted = series;
  std::ranges::sort(sorted);
  EXPECT_GT(Dependence(series).effective_size(0.99, quantile(sorted, 0.99)), 1900.0);
}

// The middle is independent, and the tail comes in bursts of ten: the scores hardly see it, the indicators of the tail do.
TEST(Dependence, a_tail_that_comes_in_bursts_is_seen_in_the_tail) {
  Noise noise(3);
  std::vector<double> series = noise.around_one(20'000, 0.01);
  for (std::size_t i = 0; i + 10 < series.size(); i += 10) {
    if (noise.uniform() < 0.02) {
      for (std::size_t j = 0; j < 10; ++j) series[i + j] += 1.0;
    }
  }
  auto sorted = series;
  std::ranges::sort(sorted);
  const Dependence dependence(series);
  EXPECT_LT(dependence.effective_size(0.99, quantile(sorted, 0.99)), 20'000 / 5.0);
  EXPECT_GT(dependence.effective_size(0.5, quantile(sorted, 0.5)), 20'000 / 2.0);
}

TEST(Dependence, a_level_that_moves_all_the_way_leaves_next_to_nothing) {
  std::vector<double> series(1000);
  for (std::size_t i = 0; i < series.size(); ++i) series[i] = 1.0 + static_cast<double>(i);
  EXPECT_LT(Dependence(series).effective_size(0.5, 500.5), 6.0);
  EXPECT_GE(Dependence(series).effective_size(0.5, 500.5), 1.0);
}

TEST(Dependence, of_none_one_and_equal_runs) {
  EXPECT_EQ(Dependence({}).effective_size(0.5, 0.0), 0.0);
  EXPECT_EQ(Dependence(std::vector{5.0}).effective_size(0.5, 5.0), 1.0);
  EXPECT_EQ(Dependence(std::vector{5.0, 6.0}).effective_size(0.5, 5.5), 2.0);
  EXPECT_EQ(Dependence(std::vector<double>(100, 5.0)).effective_size(0.9, 5.0), 100.0);
}

TEST(Dependence, of_a_long_series_is_that_of_its_last_runs) {
  const auto series = Noise(1).around_one(250'000, 0.03, 0.5);
  auto sorted = series;
  std::ranges::sort(sorted);
  EXPECT_NEAR(250'000 / Dependence(series).effective_size(0.5, quantile(sorted, 0.5)), 2.31, 0.2);
}

TEST(Summary, an_interval_of_dependent_runs_is_as_wide_as_their_worth_asks_for) {
  const auto series = Noise(2).around_one(20'000, 0.03, 0.9);
  const auto median = summarise(series).median;
  ASSERT_TRUE(median);
  EXPECT_NEAR(median->effective, 20'000 / 13.28, 300.0);
  // 1.96 standard errors of a median of so many independent runs to either side.
  EXPECT_NEAR(median->high - median->low, 2 * 1.96 * 1.2533 * 0.03 / std::sqrt(median->effective), 0.0004);
}

TEST(Summary, says_how_many_dependent_runs_a_percentile_would_need) {
  const auto p99 = summarise(Noise(4).around_one(1000, 0.03, 0.9)).p99;
  ASSERT_FALSE(p99);
  EXPECT_GT(p99.error().runs, 368U * 5);
  EXPECT_LT(p99.error().runs, 368U * 12);
}

}  // namespace
}  // namespace lapse::stats
