#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <lapse/stats/quantile.hpp>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace lapse::stats {
namespace {

std::vector<double> one_to(std::size_t n) {
  std::vector<double> values(n);
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

TEST(BinomialCdf, IsThatOfExactArithmetic) {
  // By sums of fractions.
  EXPECT_NEAR(binomial_cdf(0, 6, 0.5), 0.015625, 1e-13);
  EXPECT_NEAR(binomial_cdf(3, 10, 0.3), 0.6496107184, 1e-13);
  EXPECT_NEAR(binomial_cdf(10, 20, 0.5), 0.5880985260009766, 1e-13);
  EXPECT_NEAR(binomial_cdf(16, 17, 0.9), 0.8332281830033343, 1e-13);
  EXPECT_NEAR(binomial_cdf(450, 1000, 0.5), 0.0008652680424881588, 1e-13);
  EXPECT_NEAR(binomial_cdf(899, 1000, 0.9), 0.47340091870483486, 1e-13);
  EXPECT_NEAR(binomial_cdf(995, 1000, 0.99), 0.9713136000009953, 1e-13);
}

TEST(BinomialCdf, KeepsNineDigitsUpToABillion) {
  // By arithmetic of 40 digits.
  EXPECT_NEAR(binomial_cdf(499'000, 1'000'000, 0.5), 0.0228041499326910432, 1e-10);
  EXPECT_NEAR(binomial_cdf(989'805, 1'000'000, 0.99), 0.0255754070541788131, 1e-10);
  EXPECT_NEAR(binomial_cdf(500'000'000, 1'000'000'000, 0.5), 0.500012615662606947, 1e-10);
  EXPECT_NEAR(binomial_cdf(499'969'010, 1'000'000'000, 0.5), 0.0250009300555874677, 1e-10);
  EXPECT_NEAR(binomial_cdf(990'006'167, 1'000'000'000, 0.99), 0.975020085280290642, 1e-10);
  EXPECT_NEAR(binomial_cdf(998'998'041, 1'000'000'000, 0.999), 0.0250559307171040677, 1e-10);
}

TEST(BinomialCdf, IsZeroFarBelowTheMeanAndOneFromTheLastOnwards) {
  EXPECT_EQ(binomial_cdf(100, 1'000'000, 0.5), 0.0);
  EXPECT_EQ(binomial_cdf(999'900, 1'000'000, 0.5), 1.0);
  EXPECT_EQ(binomial_cdf(5, 5, 0.5), 1.0);
  EXPECT_EQ(binomial_cdf(0, 0, 0.5), 1.0);
}

TEST(RunsNeeded, IsTheStatedRule) {
  EXPECT_EQ(runs_needed(0.5), 6U);
  EXPECT_EQ(runs_needed(0.9), 36U);
  EXPECT_EQ(runs_needed(0.95), 72U);
  EXPECT_EQ(runs_needed(0.99), 368U);
  EXPECT_EQ(runs_needed(0.999), 3688U);
  EXPECT_EQ(runs_needed(0.1), 36U);
  EXPECT_EQ(runs_needed(0.5, 0.99), 8U);
}

TEST(RankInterval, ExistsFromTheNeededRunsOnwards) {
  for (const double p : {0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999}) {
    const std::size_t needed = runs_needed(p);
    EXPECT_FALSE(rank_interval(needed - 1, p)) << p;
    EXPECT_TRUE(rank_interval(needed, p)) << p;
  }
  for (const std::size_t n : {0U, 1U, 2U}) EXPECT_FALSE(rank_interval(n, 0.5)) << n;
}

struct ExactInterval {
  std::size_t n;
  double p;
  std::size_t lower;
  std::size_t upper;
  double coverage;
};

TEST(RankInterval, HasTheRanksAndTheCoverageOfExactArithmetic) {
  // By sums of fractions.
  constexpr ExactInterval kExact[] = {{6, 0.5, 1, 6, 0.96875},
                                      {7, 0.5, 1, 7, 0.984375},
                                      {20, 0.5, 6, 15, 0.9586105346679688},
                                      {100, 0.5, 40, 61, 0.9647997997822951},
                                      {101, 0.5, 41, 61, 0.9539559330706572},
                                      {1000, 0.5, 469, 532, 0.9537088026395019},
                                      {36, 0.9, 29, 36, 0.9539621052026521},
                                      {100, 0.9, 84, 96, 0.955690107191223},
                                      {72, 0.95, 64, 72, 0.9654900479083739},
                                      {368, 0.99, 360, 368, 0.9624158204108587},
                                      {1000, 0.99, 983, 997, 0.9760947634979771},
                                      {3688, 0.999, 3680, 3688, 0.9616237518034272}};
  for (const auto& [n, p, lower, upper, coverage] : kExact) {
    const auto ranks = rank_interval(n, p);
    ASSERT_TRUE(ranks) << n;
    EXPECT_EQ(ranks->lower, lower) << n << ' ' << p;
    EXPECT_EQ(ranks->upper, upper) << n << ' ' << p;
    EXPECT_NEAR(binomial_cdf(upper - 1, n, p) - binomial_cdf(lower - 1, n, p), coverage, 1e-12);
  }
}

TEST(RankInterval, IsTheNarrowestWhoseTailsAreSmallEnough) {
  constexpr double kTail = 0.025;
  for (const double p : {0.1, 0.5, 0.9, 0.99}) {
    for (std::size_t n = runs_needed(p); n < runs_needed(p) + 300; ++n) {
      const auto ranks = rank_interval(n, p);
      ASSERT_TRUE(ranks);
      EXPECT_LE(binomial_cdf(ranks->lower - 1, n, p), kTail);
      EXPECT_GT(binomial_cdf(ranks->lower, n, p), kTail);
      EXPECT_LE(1.0 - binomial_cdf(ranks->upper - 1, n, p), kTail);
      EXPECT_GT(1.0 - binomial_cdf(ranks->upper - 2, n, p), kTail);
    }
  }
}

TEST(RankInterval, AcceptsATailThatEqualsTheLimit) {
  // All n samples on one side of the median have a probability of 2^-n: exactly what this confidence allows.
  for (std::size_t n = 2; n <= 40; ++n) {
    const double confidence = 1.0 - std::ldexp(2.0, -static_cast<int>(n));
    EXPECT_EQ(runs_needed(0.5, confidence), n);
    const auto ranks = rank_interval(n, 0.5, confidence);
    ASSERT_TRUE(ranks) << n;
    EXPECT_EQ(ranks->lower, 1U);
    EXPECT_EQ(ranks->upper, n);
  }
}

TEST(Quantile, InterpolatesAsNumpyDoes) {
  const std::vector<double> values{1.0, 2.0, 4.0, 8.0};
  EXPECT_DOUBLE_EQ(quantile(values, 0.0), 1.0);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 3.0);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 6.8);
  EXPECT_DOUBLE_EQ(quantile(values, 1.0), 8.0);
}

TEST(Quantile, OfOneAndOfTwoSamples) {
  EXPECT_EQ(quantile(std::vector{7.0}, 0.5), 7.0);
  EXPECT_EQ(quantile(std::vector{7.0, 9.0}, 0.5), 8.0);
}

TEST(EstimateQuantile, GivesTheValueAndItsOrderStatistics) {
  const auto estimate = estimate_quantile(one_to(100), 0.5);
  ASSERT_TRUE(estimate);
  EXPECT_DOUBLE_EQ(estimate->value, 50.5);
  EXPECT_EQ(estimate->low, 40.0);
  EXPECT_EQ(estimate->high, 61.0);
  EXPECT_DOUBLE_EQ(estimate->relative_error(), 10.5 / 50.5);
}

TEST(EstimateQuantile, SaysHowManyRunsATooSmallSampleNeeds) {
  for (const std::size_t n : {0U, 1U, 2U, 35U}) {
    const auto estimate = estimate_quantile(one_to(n), 0.9);
    ASSERT_FALSE(estimate) << n;
    EXPECT_EQ(estimate.error().runs, 36U);
  }
}

TEST(EstimateQuantile, LiesWithinItsIntervalAtAnyConfidence) {
  for (const double confidence : {0.01, 0.5, 0.95, 0.999}) {
    for (const double p : {0.01, 0.3, 0.5, 0.99}) {
      for (std::size_t n = runs_needed(p, confidence); n < runs_needed(p, confidence) + 50; ++n) {
        const auto estimate = estimate_quantile(one_to(n), p, confidence);
        ASSERT_TRUE(estimate);
        EXPECT_LE(estimate->low, estimate->value) << n << ' ' << p << ' ' << confidence;
        EXPECT_LE(estimate->value, estimate->high) << n << ' ' << p << ' ' << confidence;
      }
    }
  }
}

TEST(EstimateQuantile, OfTiesIsAPointWithoutError) {
  const auto estimate = estimate_quantile(std::vector<double>(50, 5.0), 0.9);
  ASSERT_TRUE(estimate);
  EXPECT_EQ(estimate->low, 5.0);
  EXPECT_EQ(estimate->high, 5.0);
  EXPECT_EQ(estimate->relative_error(), 0.0);
}

TEST(RelativeError, IsTheLargerSideAndInfiniteRoundAZero) {
  EXPECT_DOUBLE_EQ((Estimate{10.0, 9.0, 14.0}).relative_error(), 0.4);
  EXPECT_DOUBLE_EQ((Estimate{10.0, 5.0, 11.0}).relative_error(), 0.5);
  EXPECT_EQ((Estimate{0.0, -1.0, 1.0}).relative_error(), std::numeric_limits<double>::infinity());
  EXPECT_EQ((Estimate{0.0, 0.0, 0.0}).relative_error(), 0.0);
}

/// How often the interval of n log-normal samples (skewed, as durations are) holds the true quantile.
double covered(std::size_t n, double p, double true_quantile) {
  constexpr int kTrials = 4000;
  std::mt19937_64 random(20240607);
  std::lognormal_distribution<double> draw(0.0, 1.0);
  int held = 0;
  std::vector<double> sample(n);
  for (int trial = 0; trial < kTrials; ++trial) {
    std::generate(sample.begin(), sample.end(), [&] { return draw(random); });
    std::sort(sample.begin(), sample.end());
    const auto estimate = estimate_quantile(sample, p);
    held += estimate && estimate->low <= true_quantile && true_quantile <= estimate->high ? 1 : 0;
  }
  return static_cast<double>(held) / kTrials;
}

TEST(EstimateQuantile, CoversTheTrueValueAsOftenAsItSays) {
  constexpr double kNormalP90 = 1.2815515655446004;
  constexpr double kSimulationError = 0.0138;  // four standard errors of 4,000 trials at 95 %
  EXPECT_NEAR(covered(101, 0.5, 1.0), 0.9539559330706572, kSimulationError);
  EXPECT_GE(covered(30, 0.5, 1.0), 0.95 - kSimulationError);
  EXPECT_NEAR(covered(100, 0.9, std::exp(kNormalP90)), 0.955690107191223, kSimulationError);
}

}  // namespace
}  // namespace lapse::stats
