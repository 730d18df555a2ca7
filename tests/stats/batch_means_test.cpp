#include <gtest/gtest.h>

#include <cmath>
#include <lapse/stats/batch_means.hpp>
#include <random>
#include <vector>

namespace lapse::stats {
namespace {

TEST(MeanOfSeries, IsNotKnownWithFewerThanTwentyValues) {
  for (const std::size_t n : {0U, 1U, 2U, 19U}) EXPECT_FALSE(mean_of_series(std::vector<double>(n, 5.0))) << n;
}

TEST(MeanOfSeries, OfConstantsIsAPoint) {
  for (const std::size_t n : {20U, 25U, 1000U}) {
    const auto mean = mean_of_series(std::vector<double>(n, 5.0));
    ASSERT_TRUE(mean) << n;
    EXPECT_EQ(mean->value, 5.0);
    EXPECT_EQ(mean->low, 5.0);
    EXPECT_EQ(mean->high, 5.0);
  }
}

TEST(MeanOfSeries, HasStudentsIntervalOfTheMeansOfTwentyStretches) {
  // Stretches of two: ten with a mean of 4 and ten with one of 6. Their standard deviation is sqrt(20 / 19), and the half-width
  // 2.0930 · sqrt(20 / 19) / sqrt(20) = 2.0930 / sqrt(19) = 0.48017.
  std::vector<double> series;
  for (int i = 0; i < 10; ++i) series.insert(series.end(), {3.0, 5.0, 7.0, 5.0});
  const auto mean = mean_of_series(series);
  ASSERT_TRUE(mean);
  EXPECT_DOUBLE_EQ(mean->value, 5.0);
  EXPECT_NEAR(mean->low, 5.0 - 0.480172, 1e-6);
  EXPECT_NEAR(mean->high, 5.0 + 0.480172, 1e-6);
}

TEST(MeanOfSeries, IsWiderWhereNeighboursAreAlike) {
  // The same values: alternating they cancel in every stretch, in two blocks they do not.
  std::vector<double> alternating, blocks;
  for (int i = 0; i < 400; ++i) {
    alternating.push_back(i % 2 == 0 ? 1.0 : 3.0);
    blocks.push_back(i < 200 ? 1.0 : 3.0);
  }
  const auto narrow = mean_of_series(alternating), wide = mean_of_series(blocks);
  ASSERT_TRUE(narrow && wide);
  EXPECT_EQ(narrow->value, wide->value);
  EXPECT_EQ(narrow->relative_error(), 0.0);
  EXPECT_GT(wide->relative_error(), 0.2);
}

/// How often the interval holds the true mean of an autoregressive series: x(i) = r x(i-1) + noise.
double covered(double r) {
  constexpr int kTrials = 2000;
  std::mt19937_64 random(20240607);
  std::normal_distribution<double> noise;
  int held = 0;
  std::vector<double> series(2000);
  for (int trial = 0; trial < kTrials; ++trial) {
    double x = noise(random) / std::sqrt(1.0 - r * r);
    for (double& value : series) {
      x = r * x + noise(random);
      value = 100.0 + x;
    }
    const auto mean = mean_of_series(series);
    held += mean && mean->low <= 100.0 && 100.0 <= mean->high ? 1 : 0;
  }
  return static_cast<double>(held) / kTrials;
}

TEST(MeanOfSeries, CoversTheTrueMeanAsOftenAsItSaysAlsoWhereNeighboursAreAlike) {
  constexpr double kSimulationError = 0.02;  // four standard errors of 2,000 trials at 95 %
  EXPECT_NEAR(covered(0.0), 0.95, kSimulationError);
  EXPECT_NEAR(covered(0.8), 0.95, kSimulationError);  // independent samples' interval would cover half as often
}

}  // namespace
}  // namespace lapse::stats
