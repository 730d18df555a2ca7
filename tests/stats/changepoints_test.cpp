#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <lapse/stats/changepoints.hpp>
#include <limits>
#include <span>
#include <vector>

#include "noise.hpp"

namespace lapse::stats {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<double> noise(std::size_t count, double level, double deviation, std::uint64_t seed) {
  auto out = Noise(seed).around_one(count, deviation);
  for (double& value : out) value += level - 1.0;
  return out;
}

std::vector<double> joined(std::vector<double> first, const std::vector<double>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(Changepoints, noise_has_none) { EXPECT_THAT(changepoints(noise(2000, 0.0, 1.0, 1), 5), IsEmpty()); }

TEST(Changepoints, of_the_mean_are_found_where_they_are) {
  const auto series = joined(noise(100, 0.0, 0.1, 1), joined(noise(200, 1.0, 0.1, 2), noise(50, 0.3, 0.1, 3)));
  EXPECT_THAT(changepoints(series, 5), ElementsAre(100, 300));
}

TEST(Changepoints, of_the_spread_are_found_too) {
  const auto found = changepoints(joined(noise(300, 0.0, 0.1, 1), noise(300, 0.0, 1.0, 2)), 5);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(static_cast<double>(found[0]), 300.0, 3.0);
}

TEST(Changepoints, equal_values_are_no_discovery) {
  EXPECT_THAT(changepoints(std::vector<double>(500, 1.0), 5), IsEmpty());
  EXPECT_THAT(changepoints(joined(std::vector<double>(50, 0.0), std::vector<double>(50, 1.0)), 5), ElementsAre(50));
}

TEST(Changepoints, a_few_equal_values_in_noise_are_chance) {
  auto series = noise(500, 0.0, 1.0, 7);
  for (std::size_t i = 200; i < 206; ++i) series[i] = 0.25;
  EXPECT_THAT(changepoints(series, 5), IsEmpty());
}

TEST(Changepoints, of_less_than_two_segments_are_none) {
  EXPECT_THAT(changepoints({}, 5), IsEmpty());
  EXPECT_THAT(changepoints(std::vector{0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0}, 5), IsEmpty());
}

// By trying every segmentation into three at the most.
TEST(Changepoints, are_the_best_of_all_segmentations) {
  const auto series = joined(noise(20, 0.0, 0.05, 4), joined(noise(20, 2.0, 0.3, 5), noise(20, 0.0, 0.05, 6)));
  EXPECT_THAT(changepoints(series, 2), ElementsAre(20, 40));
}

constexpr double kLeastVariance = 1e-6;

double cost_of(std::span<const double> segment) {
  double sum = 0.0, squares = 0.0;
  for (const double value : segment) {
    sum += value;
    squares += value * value;
  }
  const double count = static_cast<double>(segment.size()), mean = sum / count;
  return count * (std::log(std::max(squares / count - mean * mean, kLeastVariance)) + 1.0);
}

double cost_of(std::span<const double> series, std::vector<std::size_t> changes) {
  changes.push_back(series.size());
  double total = 0.0;
  std::size_t first = 0;
  for (const std::size_t end : changes) {
    total += cost_of(series.subspan(first, end - first)) + 15.0 * std::log(static_cast<double>(series.size()));
    first = end;
  }
  return total;
}

// Of all segmentations the least, with nothing pruned.
double least_cost(std::span<const double> series, std::size_t shortest) {
  std::vector<double> best(series.size() + 1, std::numeric_limits<double>::infinity());
  best[0] = 0.0;
  for (std::size_t end = shortest; end <= series.size(); ++end) {
    for (std::size_t first = 0; first + shortest <= end; ++first) {
      const double penalty = 15.0 * std::log(static_cast<double>(series.size()));
      best[end] = std::min(best[end], best[first] + cost_of(series.subspan(first, end - first)) + penalty);
    }
  }
  return best.back();
}

TEST(Changepoints, pruning_loses_none_where_times_are_quantised) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    auto series = joined(noise(25, 0.0, 1.0, seed), joined(noise(25, 0.0, 4.0, 1000 + seed), noise(30, 1.0, 0.3, 2000 + seed)));
    for (double& value : series) value = std::round(value);
    ASSERT_NEAR(cost_of(series, changepoints(series, 5)), least_cost(series, 5), 1e-6) << seed;
  }
}

}  // namespace
}  // namespace lapse::stats
