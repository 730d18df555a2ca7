#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/stats/summary.hpp>
#include <numeric>
#include <vector>

#include "noise.hpp"

namespace lapse::stats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Summary, OfNothingHasNoNumbers) {
  const Summary summary = summarise({});
  EXPECT_EQ(summary.count, 0U);
  EXPECT_EQ(summary.min, 0.0);
  EXPECT_EQ(summary.max, 0.0);
  EXPECT_EQ(summary.mean, 0.0);
  EXPECT_EQ(summary.standard_deviation, 0.0);
  ASSERT_FALSE(summary.median);
  EXPECT_EQ(summary.median.error().runs, 6U);
  ASSERT_FALSE(summary.p999);
  EXPECT_EQ(summary.p999.error().runs, 3688U);
}

TEST(Summary, OfOneSampleHasNoSpread) {
  const Summary summary = summarise(std::vector{5.0});
  EXPECT_EQ(summary.count, 1U);
  EXPECT_EQ(summary.min, 5.0);
  EXPECT_EQ(summary.max, 5.0);
  EXPECT_EQ(summary.mean, 5.0);
  EXPECT_EQ(summary.standard_deviation, 0.0);
  EXPECT_FALSE(summary.median);
}

TEST(Summary, OfTwoSamples) {
  const Summary summary = summarise(std::vector{3.0, 1.0});
  EXPECT_EQ(summary.min, 1.0);
  EXPECT_EQ(summary.max, 3.0);
  EXPECT_EQ(summary.mean, 2.0);
  EXPECT_DOUBLE_EQ(summary.standard_deviation, 1.4142135623730951);
}

TEST(Summary, KeepsTheDigitsBehindALargeOffset) {
  const Summary summary = summarise(std::vector{1e9 + 2.0, 1e9, 1e9 + 1.0});
  EXPECT_DOUBLE_EQ(summary.mean, 1e9 + 1.0);
  EXPECT_DOUBLE_EQ(summary.standard_deviation, 1.0);
}

TEST(Summary, SortsACopyAndEstimatesEveryQuantileThatTheSampleSupports) {
  std::vector<double> samples(1000);
  std::iota(samples.begin(), samples.end(), 1.0);
  Noise noise(1);
  for (std::size_t i = samples.size(); i > 1; --i)
    std::swap(samples[i - 1], samples[static_cast<std::size_t>(noise.uniform() * static_cast<double>(i))]);
  const std::vector<double> before = samples;
  const Summary summary = summarise(samples);
  EXPECT_EQ(samples, before);
  EXPECT_EQ(summary.count, 1000U);
  EXPECT_EQ(summary.min, 1.0);
  EXPECT_EQ(summary.max, 1000.0);
  ASSERT_TRUE(summary.median && summary.p90 && summary.p95 && summary.p99);
  EXPECT_DOUBLE_EQ(summary.median->value, 500.5);
  EXPECT_EQ(summary.median->low, 469.0);
  EXPECT_EQ(summary.median->high, 532.0);
  EXPECT_DOUBLE_EQ(summary.p90->value, 900.1);
  EXPECT_DOUBLE_EQ(summary.p95->value, 950.05);
  EXPECT_DOUBLE_EQ(summary.p99->value, 990.01);
  ASSERT_FALSE(summary.p999);
  EXPECT_EQ(summary.p999.error().runs, 3688U);
}

TEST(Summary, InPlaceIsTheSameAndLeavesTheSeriesSorted) {
  Noise noise(2);
  std::vector<double> series;
  for (int i = 0; i < 500; ++i) series.push_back(noise.uniform() + (i % 50 < 25 ? 1.0 : 0.0));  // neighbours are alike
  const Summary summary = summarise(series);
  const Summary in_place = summarise_in_place(series);
  EXPECT_TRUE(std::ranges::is_sorted(series));
  EXPECT_EQ(in_place.median->low, summary.median->low);
  EXPECT_EQ(in_place.median->effective, summary.median->effective);
  EXPECT_LT(in_place.median->effective, 400.0);
  EXPECT_EQ(in_place.standard_deviation, summary.standard_deviation);
}

TEST(Histogram, CountsEqualCellsAndClosesTheLast) {
  EXPECT_THAT(histogram(std::vector{0.0, 0.9, 1.0, 1.5, 2.0, 3.0, 4.0}, 0.0, 4.0, 4), ElementsAre(2, 2, 1, 2));
}

TEST(Histogram, LeavesOutWhatLiesOutside) { EXPECT_THAT(histogram(std::vector{-5.0, 1.0, 2.0, 2.5, 9.0}, 1.0, 2.0, 2), ElementsAre(1, 1)); }

TEST(Histogram, OfNothingOrOfNoCells) {
  EXPECT_THAT(histogram({}, 0.0, 1.0, 3), ElementsAre(0, 0, 0));
  EXPECT_THAT(histogram(std::vector{1.0}, 0.0, 1.0, 0), IsEmpty());
}

TEST(Histogram, OfTiesOnARangeWithoutWidthHoldsThemAll) {
  EXPECT_THAT(histogram(std::vector{5.0, 5.0, 5.0}, 5.0, 5.0, 2), ElementsAre(3, 0));
}

}  // namespace
}  // namespace lapse::stats
