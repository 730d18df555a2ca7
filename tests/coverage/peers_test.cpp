#include "bench/coverage/peers.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>
#include <string>

namespace lapse::bench {
namespace {

const PeerRule& rule(std::string_view name) {
  for (const PeerRule& each : peer_rules()) {
    if (each.name == name) return each;
  }
  throw std::runtime_error("no rule " + std::string(name));
}

// 1 + step, 1 - step, 1 + step, …
Series swinging(double step) {
  return [step, sign = -1.0]() mutable { return 1.0 + (sign = -sign) * step; };
}

TEST(CoveragePeers, TheTextbookStopsWhenItsStandardErrorIsSmallEnough) {
  // The deviation is 0.1, and 1.96 · 0.1 / √n ≤ 0.01 from 385 runs on.
  EXPECT_NEAR(static_cast<double>(rule("mean ± 1.96 SE").measure(swinging(0.1), 1).runs), 385, 2);
  EXPECT_EQ(rule("mean ± 1.96 SE").measure(swinging(0.01), 1).runs, 30u);
}

TEST(CoveragePeers, HyperfineMakesAsManyRunsAsFitIntoThreeSecondsGoingByTheFirst) {
  const auto measured = rule("hyperfine").measure(swinging(0.2), 1);
  EXPECT_EQ(measured.runs, 500u);  // 3 s / 6 ms
  EXPECT_NEAR(measured.high - measured.value, 0.2, 0.001);
}

TEST(CoveragePeers, CriterionFillsFiveSecondsAfterAWarmUpThatDoubles) {
  const auto measured = rule("criterion.rs").measure(swinging(0.0), 1);
  EXPECT_EQ(measured.values.size(), 100u);
  EXPECT_EQ(measured.runs, 1023u + 1000u);
}

TEST(CoveragePeers, NvbenchEndsAtOnceWhenThereIsLittleNoiseAndGoesOnUntilItIsSteadyOtherwise) {
  EXPECT_NEAR(static_cast<double>(rule("nvbench stdrel").measure(swinging(0.001), 1).runs), 1 + 100, 1);  // 0.5 s
  EXPECT_GT(rule("nvbench stdrel").measure(swinging(0.2), 1).runs, 1u + 101u);
}

TEST(CoveragePeers, TorchStopsAfterFourRunsWhenTheyAreAlike) { EXPECT_EQ(rule("torch IQR").measure(swinging(0.01), 1).runs, 1u + 4u); }

TEST(CoveragePeers, MannWhitneyFindsAShiftAndNoneWhereThereIsNone) {
  PeerMeasured a, b;
  a.values.resize(20);
  std::iota(a.values.begin(), a.values.end(), 0.0);
  b.values = a.values;
  for (double& value : b.values) value += 0.5;
  EXPECT_FALSE(rule("Mann-Whitney").differ(a, b, 1));
  // U of 400 pairs: shifted by 5.5, b is below a in 105, and |200 - 105| - 0.5 is 2.56 standard errors (36.97); by 3.5 in 136: 1.72.
  for (double& value : b.values) value += 5.0;
  EXPECT_TRUE(rule("Mann-Whitney").differ(a, b, 1));
  for (double& value : b.values) value -= 2.0;
  EXPECT_FALSE(rule("Mann-Whitney").differ(a, b, 1));
}

TEST(CoveragePeers, EachFindsALargeDifference) {
  for (const PeerRule& each : peer_rules()) {
    Series base = swinging(0.01);
    const auto a = each.measure(swinging(0.01), 1);
    const auto b = each.measure([&] { return 1.5 * base(); }, 2);
    EXPECT_TRUE(each.differ(a, b, 3)) << each.name;
  }
}

}  // namespace
}  // namespace lapse::bench
