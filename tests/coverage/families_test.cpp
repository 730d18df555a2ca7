#include "bench/coverage/families.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "bench/coverage/rate.hpp"
#include "bench/coverage/replicates.hpp"

namespace lapse::bench {
namespace {

const Family& family(std::string_view name) {
  for (const Family& each : families()) {
    if (each.name == name) return each;
  }
  throw std::runtime_error("no family " + std::string(name));
}

std::vector<double> take(const Family& from, std::size_t count, std::size_t skip = 0) {
  Series next = from.series(1);
  for (std::size_t i = 0; i < skip; ++i) next();
  std::vector<double> values(count);
  for (double& value : values) value = next();
  return values;
}

TEST(CoverageFamilies, SoManyValuesLieBelowAQuantileAsItsProbabilitySays) {
  constexpr std::size_t kCount = 400'000;
  for (const Family& each : families()) {
    if (!each.steady()) continue;
    const auto values = take(each, kCount, 100);
    for (const double p : {0.1, 0.5, 0.99}) {
      const double at = each.quantile(p);
      const auto below = static_cast<double>(std::ranges::count_if(values, [&](double value) { return value <= at; })) / kCount;
      // Five standard errors, of so many independent values as AR(0.9) is worth: a nineteenth.
      EXPECT_NEAR(below, p, 5 * std::sqrt(p * (1 - p) * 19 / kCount)) << each.name << " at " << p;
    }
  }
}

TEST(CoverageFamilies, TheMeanIsAsItSays) {
  for (const Family& each : families()) {
    if (!each.steady()) continue;
    const auto values = take(each, 400'000, 100);
    double sum = 0.0;
    for (const double value : values) sum += value;
    EXPECT_NEAR(sum / 400'000.0 / each.mean, 1.0, 0.01) << each.name;
  }
}

TEST(CoverageFamilies, NeighboursResembleEachOtherAsPhiSays) {
  for (const auto& [name, phi] : {std::pair{"normal", 0.0}, std::pair{"ar-0.5", 0.5}, std::pair{"ar-0.9", 0.9}}) {
    const auto values = take(family(name), 200'000);
    double products = 0.0, squares = 0.0;
    for (std::size_t i = 1; i < values.size(); ++i) {
      products += (values[i - 1] - 1.0) * (values[i] - 1.0);
      squares += (values[i] - 1.0) * (values[i] - 1.0);
    }
    EXPECT_NEAR(products / squares, phi, 0.02) << name;
  }
}

TEST(CoverageFamilies, UnsteadyOnesChangeByFivePercent) {
  const auto mean = [](const std::vector<double>& values, std::size_t first, std::size_t count) {
    double sum = 0.0;
    for (std::size_t i = first; i < first + count; ++i) sum += values[i];
    return sum / static_cast<double>(count);
  };
  const auto change = [&](std::string_view name) {
    const auto values = take(family(name), kUnsteadyRuns);
    return mean(values, 900, 100) / mean(values, 0, 100) - 1.0;
  };
  EXPECT_NEAR(change("step-up"), 0.05, 0.01);
  EXPECT_NEAR(change("step-down"), -0.05, 0.01);
  EXPECT_NEAR(change("drift-up"), 0.045, 0.01);  // from the middle of the first tenth to that of the last
  EXPECT_NEAR(change("drift-down"), -0.045, 0.01);
  const auto cycles = take(family("cycles-10"), kUnsteadyRuns);  // a period takes 100 runs
  EXPECT_NEAR(mean(cycles, 0, 50) / mean(cycles, 50, 50) - 1.0, 0.05 * 2 / 3.14159, 0.01);
}

TEST(CoverageFamilies, AWarmUpDecaysFromTwiceTheLevel) {
  const auto values = take(family("warm-up"), 60);
  EXPECT_NEAR(values[0], 2.0, 0.25);
  EXPECT_NEAR(values[6], 1.0 + std::exp(-1.0), 0.2);
  EXPECT_NEAR(values[40], 1.0, 0.15);
}

TEST(CoverageFamilies, EachReplicateHasASeedOfItsOwn) {
  EXPECT_NE(seed_of(1, "normal", 0), seed_of(1, "normal", 1));
  EXPECT_NE(seed_of(1, "normal", 0), seed_of(2, "normal", 0));
  EXPECT_NE(seed_of(1, "normal", 0), seed_of(1, "ar-0.5", 0));
  EXPECT_EQ(seed_of(1, "normal", 7), seed_of(1, "normal", 7));
}

TEST(CoverageRate, HasWilsonsInterval) {
  // Wilson's score interval of 8 in 10: the roots of (p - 0.8)² = 1.96² p (1 - p) / 10.
  const Rate rate{8, 10};
  for (const double limit : {rate.low(), rate.high()}) {
    EXPECT_NEAR((limit - 0.8) * (limit - 0.8), 1.959964 * 1.959964 * limit * (1 - limit) / 10, 1e-6);
  }
  EXPECT_LT(rate.low(), 0.8);
  EXPECT_GT(rate.high(), 0.8);
  EXPECT_TRUE(rate.may_lie_in(0.93, 0.99));
  EXPECT_FALSE((Rate{800, 1000}.may_lie_in(0.93, 0.99)));
  EXPECT_FALSE(Rate{}.may_lie_in(0.0, 1.0));
}

TEST(CoverageReplicates, AreTheSameWhateverTheNumberOfThreads) {
  const auto work = [](std::size_t i) { return take(family("normal"), 1 + i).back(); };
  EXPECT_EQ(replicate(50, 1, work), replicate(50, 3, work));
}

}  // namespace
}  // namespace lapse::bench
