#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/stats/comparison.hpp>
#include <random>
#include <vector>

namespace lapse::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A contrast of five processes a side or more whose two-sided p, by the normal distribution, follows from log ratio and error.
Contrast normal(double log_ratio, double standard_error) { return {log_ratio, standard_error, kInfinity, Basis::Processes}; }

std::vector<ProcessFigure> figures(std::initializer_list<double> logs, double relative_error = 0.0) {
  std::vector<ProcessFigure> out;
  for (const double log : logs) out.push_back({std::exp(log), relative_error, 100});
  return out;
}

TEST(MeanLogRatio, TakesEachBlockWithTheOneNextToIt) {
  // B is 10 % slower throughout, while the machine gets twice as slow: the ratio of the sides' own means would depend on the drift.
  const std::array a{100.0, 150.0, 200.0}, b{110.0, 165.0, 220.0};
  EXPECT_NEAR(mean_log_ratio(a, b), std::log(1.1), 1e-12);
  EXPECT_NEAR(mean_log_ratio(b, a), -std::log(1.1), 1e-12);
}

TEST(MeanLogRatio, LeavesOutTheRoundsInWhichANeighbourTookTheCpuFromOneSide) {
  const std::array a{100.0, 200.0, 102.0, 100.0, 98.0, 100.0, 100.0, 100.0}, b{103.0, 103.0, 103.0, 190.0, 103.0, 103.0, 103.0, 103.0};
  // ln 0.515 and the least of the rest at one end, ln 1.9 and the largest of the rest at the other.
  EXPECT_NEAR(mean_log_ratio(a, b), std::log(1.03), 1e-12);
}

TEST(Paired, IsStudentsTOverThePairs) {
  const Contrast contrast = paired(std::array{0.01, 0.02, 0.03, 0.04, 0.05});
  EXPECT_NEAR(contrast.log_ratio, 0.03, 1e-12);
  EXPECT_NEAR(contrast.standard_error, std::sqrt(0.00025 / 5), 1e-12);
  EXPECT_EQ(contrast.degrees, 4.0);
  EXPECT_EQ(contrast.basis, Basis::Processes);
}

TEST(Paired, FewPairsDecideNothingAndOneHasNoInterval) {
  EXPECT_EQ(paired(std::array{0.1, 0.1, 0.1, 0.1}).basis, Basis::FewProcesses);
  const Contrast one = paired(std::array{0.1});
  EXPECT_EQ(one.basis, Basis::ThisProcess);
  const Decision decision = decide(std::array{one}, 0.01).front();
  EXPECT_NEAR(decision.ratio, std::exp(0.1), 1e-12);
  EXPECT_EQ(decision.low, 0.0);
  EXPECT_EQ(decision.high, kInfinity);
  EXPECT_EQ(decision.change, Change::Undecided);
  EXPECT_FALSE(decision.p);
}

TEST(Independent, IsWelchOnTheLogarithmsOfTheProcesses) {
  // Variances 0.025 and 0.1 of five values each: 0.005 and 0.02 of the means; degrees (0.025)² / (0.005² / 4 + 0.02² / 4) = 5.882.
  const auto a = figures({1.8, 1.9, 2.0, 2.1, 2.2});
  const auto b = figures({1.7, 1.9, 2.1, 2.3, 2.5});
  const Contrast contrast = independent(a, b);
  EXPECT_NEAR(contrast.log_ratio, 0.1, 1e-12);
  EXPECT_NEAR(contrast.standard_error, std::sqrt(0.005 + 0.02), 1e-12);
  EXPECT_NEAR(contrast.degrees, 0.025 * 0.025 / (0.005 * 0.005 / 4 + 0.02 * 0.02 / 4), 1e-9);
  EXPECT_EQ(contrast.basis, Basis::Processes);
}

TEST(Independent, OfOneProcessASideSpeaksOfTheseProcessesOnly) {
  const Contrast contrast = independent(figures({1.0}, 0.003), figures({1.1}, 0.004));
  EXPECT_NEAR(contrast.standard_error, 0.005, 1e-12);
  EXPECT_EQ(contrast.basis, Basis::ThisProcess);
  EXPECT_EQ(decide(std::array{contrast}, 0.01).front().change, Change::Undecided);
}

TEST(Independent, OneSideWithFewProcessesIsEnoughToDecideNothing) {
  const auto five = figures({1.0, 1.0, 1.0, 1.0, 1.0});
  EXPECT_EQ(independent(five, figures({1.5})).basis, Basis::ThisProcess);
  EXPECT_EQ(independent(figures({1.5, 1.5, 1.5, 1.5}), five).basis, Basis::FewProcesses);
  EXPECT_EQ(independent(five, five).basis, Basis::Processes);
}

TEST(Independent, WithGivenNoiseOneProcessASideCanDecide) {
  // √((0.01² + 0.003²) + (0.01² + 0.004²)) = 0.015.
  const Contrast contrast = independent(figures({1.0}, 0.003), figures({1.1}, 0.004), 0.01);
  EXPECT_NEAR(contrast.standard_error, 0.015, 1e-12);
  EXPECT_EQ(contrast.basis, Basis::GivenNoise);
  EXPECT_EQ(decide(std::array{contrast}, 0.01).front().change, Change::Slower);
  EXPECT_EQ(decide(std::array{independent(figures({1.0}, 0.003), figures({1.1}, 0.004), 0.1)}, 0.01).front().change, Change::Undecided);
}

TEST(Independent, WithGivenNoiseAnErrorThatIsNotKnownDecidesNothing) {
  const Contrast contrast = independent(figures({1.0}, kInfinity), figures({1.5}, 0.01), 0.01);
  EXPECT_EQ(decide(std::array{contrast}, 0.01).front().change, Change::Undecided);
}

TEST(Independent, FiveProcessesSpeakForThemselvesWhateverNoiseIsTold) {
  const auto a = figures({1.0, 1.1, 1.2, 1.3, 1.4}), b = figures({1.0, 1.1, 1.2, 1.3, 1.4});
  EXPECT_EQ(independent(a, b, 0.0).standard_error, independent(a, b).standard_error);
}

TEST(Decide, TheIntervalSaysIt) {
  const double error = 0.002 / 1.959964;  // ± 0.2 %
  const std::array cases{std::pair{0.03, Change::Slower}, std::pair{-0.03, Change::Faster}, std::pair{0.001, Change::Equivalent},
                         std::pair{0.0079, Change::Equivalent}, std::pair{0.009, Change::Slower}};
  for (const auto& [log_ratio, change] : cases) EXPECT_EQ(decide(std::array{normal(log_ratio, error)}, 0.01).front().change, change);
  EXPECT_EQ(decide(std::array{normal(0.001, 0.02)}, 0.01).front().change, Change::Undecided);
}

TEST(Decide, WithoutAMarginNothingButAPointIsEquivalent) {
  EXPECT_EQ(decide(std::array{normal(0.0, 0.001)}, 0.0).front().change, Change::Undecided);
  EXPECT_EQ(decide(std::array{normal(0.0, 0.0)}, 0.0).front().change, Change::Equivalent);
}

TEST(Decide, WithoutAnySpreadTheRatioIsExact) {
  const Contrast contrast = paired(std::vector<double>(6, std::log(1.03)));
  const Decision decision = decide(std::array{contrast}, 0.01).front();
  EXPECT_EQ(decision.low, decision.high);
  EXPECT_EQ(decision.p, 0.0);
  EXPECT_EQ(decision.change, Change::Slower);
}

TEST(Decide, SeveralAreAdjustedByHolm) {
  // Two-sided p of z: 2.575829 → 0.01, 2.241403 → 0.025, 2.053749 → 0.04. Holm: 3 · 0.01, 2 · 0.025, then at least as much: 0.05, 1 · 0.04.
  const std::array contrasts{normal(2.053749, 1.0), normal(2.575829, 1.0), normal(2.2414028, 1.0)};
  const auto decisions = decide(contrasts, 0.0);
  EXPECT_NEAR(*decisions[1].p, 0.03, 1e-6);
  EXPECT_NEAR(*decisions[2].p, 0.05, 1e-6);
  EXPECT_NEAR(*decisions[0].p, 0.05, 1e-6);
  EXPECT_NEAR(decisions[1].confidence, 1.0 - 0.05 / 3, 1e-12);
  EXPECT_NEAR(decisions[2].confidence, 1.0 - 0.05 / 2, 1e-12);
}

TEST(Decide, AfterTheFirstThatIsNotRejectedNoneIs) {
  // 0.03 · 2 is above 5 %: then 0.04 is not rejected, either, though 0.04 · 1 would be; and its interval holds 1.
  const auto decisions = decide(std::array{normal(2.17009, 1.0), normal(2.053749, 1.0)}, 0.0);
  EXPECT_NEAR(*decisions[0].p, 0.06, 1e-6);
  EXPECT_NEAR(*decisions[1].p, 0.06, 1e-6);
  for (const Decision& decision : decisions) {
    EXPECT_EQ(decision.change, Change::Undecided);
    EXPECT_LT(decision.low, 1.0);
    EXPECT_NEAR(decision.confidence, 0.975, 1e-12);
  }
}

TEST(Decide, WhatCanNotBeDecidedMakesNothingElseWider) {
  const Contrast few{0.5, 0.001, kInfinity, Basis::FewProcesses};
  const auto decisions = decide(std::array{few, normal(0.02, 0.009), few}, 0.001);
  EXPECT_EQ(decisions[1].confidence, 0.95);
  EXPECT_EQ(decisions[1].change, Change::Slower);
  EXPECT_EQ(decisions[0].change, Change::Undecided);
  EXPECT_EQ(decisions[2].confidence, 0.95);
}

TEST(Decide, NothingMakesNoDecision) { EXPECT_TRUE(decide({}, 0.01).empty()); }

TEST(TailQuantile, NeedsTwoRunsBeyondIt) {
  EXPECT_EQ(tail_quantile(0), nullptr);
  EXPECT_EQ(tail_quantile(kFewestRunsForTail - 1), nullptr);
  const std::array cases{std::pair{20U, "p90"},  std::pair{39U, "p90"},  std::pair{40U, "p95"},
                         std::pair{199U, "p95"}, std::pair{200U, "p99"}, std::pair{1'000'000U, "p99"}};
  for (const auto& [runs, name] : cases) {
    ASSERT_NE(tail_quantile(runs), nullptr) << runs;
    EXPECT_EQ(tail_quantile(runs)->name, name) << runs;
  }
}

/// Of trials without any difference, the share in which something is called faster or slower.
template <class Draw>
double false_alarms(Draw draw) {
  constexpr int kTrials = 4000;
  int alarms = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto decisions = decide(draw(), 0.0);
    alarms += std::ranges::any_of(decisions, [](const Decision& each) { return each.change != Change::Undecided; }) ? 1 : 0;
  }
  return static_cast<double>(alarms) / kTrials;
}
constexpr double kAtMost = 0.05 + 0.0114;  // 95 % of the one-sided simulation error, doubled

TEST(FalseAlarms, OfSixPairsAndTwoMetricsAreFewerThanFivePercent) {
  std::mt19937_64 random(11);
  std::normal_distribution<double> noise(0.0, 0.02);
  const double rate = false_alarms([&] {
    std::array<double, 6> medians{}, tails{};
    for (double& value : medians) value = noise(random);
    for (double& value : tails) value = 3.0 * noise(random);
    return std::array{paired(medians), paired(tails)};
  });
  EXPECT_LE(rate, kAtMost);
  EXPECT_GE(rate, 0.03);  // and not because nothing is ever found
}

TEST(FalseAlarms, OfFiveProcessesASideAreFewerThanFivePercentWhereOneSideIsNoisier) {
  std::mt19937_64 random(12);
  std::normal_distribution<double> noise;
  const double rate = false_alarms([&] {
    std::vector<ProcessFigure> a, b;
    for (int i = 0; i < 5; ++i) a.push_back({std::exp(0.01 * noise(random)), 0.0, 100});
    for (int i = 0; i < 9; ++i) b.push_back({std::exp(0.05 * noise(random)), 0.0, 100});
    return std::array{independent(a, b)};
  });
  EXPECT_LE(rate, kAtMost);
  EXPECT_GE(rate, 0.03);
}

TEST(Power, AThreePercentSlowdownIsFoundInSixPairsWithOnePercentOfNoise) {
  std::mt19937_64 random(13);
  std::normal_distribution<double> noise(std::log(1.03), 0.01);
  int found = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    std::array<double, 6> ratios{};
    for (double& value : ratios) value = noise(random);
    found += decide(std::array{paired(ratios)}, 0.01).front().change == Change::Slower ? 1 : 0;
  }
  EXPECT_GE(found, 950);
}

}  // namespace
}  // namespace lapse::stats
