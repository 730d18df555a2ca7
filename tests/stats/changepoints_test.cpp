#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/stats/changepoints.hpp>
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

}  // namespace
}  // namespace lapse::stats
