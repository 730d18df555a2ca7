#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <lapse/measure/noise_floor.hpp>
#include <random>

#include "fake_subject.hpp"

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

Duration scaled(Duration time, double factor) {
  return Duration{static_cast<Duration::rep>(std::llround(static_cast<double>(time.count()) * factor))};
}

MakeSubject always(Duration time) {
  return [time]() -> Result<std::unique_ptr<Subject>> { return std::make_unique<FakeSubject>([time](std::size_t) { return time; }); };
}

/// Each run takes 5 ms, give or take, and `factor` as long.
MakeSubject noisy(double factor, double deviation, std::mt19937_64& random) {
  return [=, &random]() -> Result<std::unique_ptr<Subject>> {
    return std::make_unique<FakeSubject>(
        [=, &random](std::size_t) { return scaled(5ms, factor * std::lognormal_distribution<double>(0.0, deviation)(random)); });
  };
}

TEST(NoiseFloor, WithoutNoiseThereIsNone) {
  const auto seen = measure_pairs(always(5ms), always(5ms), {.budget = 10s});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->log_ratios, std::vector<double>(10, 0.0));
  EXPECT_EQ(seen->median_ns, 5e6);
  EXPECT_EQ(noise_floor(*seen)->unseen, 0.0);
  EXPECT_EQ(ratio(*seen)->value, 1.0);
}

TEST(NoiseFloor, IsTheHalfWidthOfStudentsIntervalOverThePairs) {
  // By hand: six log-ratios of +-0.01 have mean 0, s = 0.01 * sqrt(6/5), s / sqrt(6) = 0.0044721; t(0.975, 5) = 2.570582,
  // and the 90 % quantile of a non-central t(5) about that is 5.19 (by 2 million draws).
  const Pairs six{.log_ratios = {0.01, -0.01, 0.01, -0.01, 0.01, -0.01}};
  EXPECT_NEAR(noise_floor(six)->unseen, std::expm1(0.0044721 * 2.570582), 1e-6);
  EXPECT_NEAR(noise_floor(six)->found, std::expm1(0.0044721 * 5.19), 5e-5);
  EXPECT_NEAR(ratio(six)->high, std::exp(0.0044721 * 2.570582), 1e-6);
  EXPECT_NEAR(ratio(six)->low, std::exp(-0.0044721 * 2.570582), 1e-6);
}

TEST(NoiseFloor, WhatIsFoundNineTimesInTenIs) {
  std::mt19937_64 random(1);
  std::normal_distribution noise(0.0, 0.001);
  const auto pairs = [&](double truth) {
    Pairs made;
    for (int pair = 0; pair < 10; ++pair) made.log_ratios.push_back(truth + noise(random));
    return made;
  };
  constexpr int kTrials = 20'000;
  int found = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const double promised = std::log1p(noise_floor(pairs(0.0))->found);
    found += ratio(pairs(promised))->low > 1.0 ? 1 : 0;
  }
  RecordProperty("found", found);
  EXPECT_NEAR(static_cast<double>(found) / kTrials, 0.9, 0.015);  // seven deviations of the count; 0.83 with a central t
}

TEST(NoiseFloor, OfAThingThatWasToldFromItselfIsNotBelowWhatItWasOffBy) {
  const Pairs off{.log_ratios = {0.04, 0.02, 0.04, 0.02, 0.04, 0.02}};  // half the width of the interval is 0.0115
  EXPECT_NEAR(noise_floor(off)->unseen, std::expm1(0.03 + 0.0044721 * 2.570582), 1e-6);
  EXPECT_GT(noise_floor(off)->found, noise_floor(off)->unseen);
}

TEST(NoiseFloor, FewerThanSixPairsTellNone) {
  const Pairs five{.log_ratios = {0.01, -0.01, 0.01, -0.01, 0.01}};
  EXPECT_FALSE(noise_floor(five));
  EXPECT_FALSE(ratio(five));
  EXPECT_FALSE(noise_floor(Pairs{}));
}

TEST(NoiseFloor, WhereAnInstanceLiesIsPartOfIt) {
  // Runs are exact, but every other instance is 2 % slower: within a pair nothing varies, between pairs nothing is alike.
  int instance = 0;
  std::mt19937_64 random(7);
  const MakeSubject make = [&]() -> Result<std::unique_ptr<Subject>> {
    const Duration time = random() % 2 == 0 ? 5ms : 5100us;
    ++instance;
    return std::make_unique<FakeSubject>([time](std::size_t) { return time; });
  };
  const auto seen = measure_pairs(make, make, {.budget = 10s});
  EXPECT_EQ(instance, 20) << "A and B anew for each of ten pairs";
  EXPECT_GT(noise_floor(*seen)->unseen, 0.005);
  EXPECT_LT(noise_floor(*seen)->unseen, 0.02);
}

TEST(NoiseFloor, WhatIsEqualIsSeldomCalledDifferentAndWhatIsNotIsFound) {
  constexpr int kTimes = 400;
  std::mt19937_64 random(11);
  int alarms = 0, found = 0, wrong_way = 0;
  for (int time = 0; time < kTimes; ++time) {
    const NoisePlan plan{.budget = 20s, .seed = static_cast<std::uint64_t>(time)};
    const auto same = ratio(*measure_pairs(noisy(1.0, 0.05, random), noisy(1.0, 0.05, random), plan));
    alarms += same->low > 1.0 || same->high < 1.0 ? 1 : 0;
    const auto slower = ratio(*measure_pairs(noisy(1.0, 0.05, random), noisy(1.01, 0.05, random), plan));
    found += slower->low > 1.0 ? 1 : 0;
    wrong_way += slower->high < 1.0 ? 1 : 0;
  }
  // 5 % of 400 are 20; four of a binomial's deviations are 17.4. The floor is 0.5 %, so 1 % is found nearly always.
  EXPECT_LE(alarms, 37);
  EXPECT_GE(alarms, 3) << "an interval that never fails is too wide";
  EXPECT_GE(found, 380);
  EXPECT_EQ(wrong_way, 0);
}

TEST(NoiseFloor, ADriftTouchesBothSidesAlike) {
  // Every run of the whole takes a 2000th more than the first took, whoever it is of.
  int runs = 0;
  const MakeSubject make = [&runs]() -> Result<std::unique_ptr<Subject>> {
    return std::make_unique<FakeSubject>([&runs](std::size_t) { return scaled(5ms, 1.0 + ++runs / 2000.0); });
  };
  const auto seen = measure_pairs(make, make, {.budget = 20s});
  EXPECT_GT(runs, 1000) << "so it was half as slow again at the end";
  EXPECT_LT(ratio(*seen)->low, 1.0);
  EXPECT_GT(ratio(*seen)->high, 1.0);
}

TEST(NoiseFloor, KeepsItsBudgetWhereARoundFitsIntoIt) {
  const auto seen = measure_pairs(always(1ms), always(1ms), {.budget = 6s, .pairs = 6});
  EXPECT_EQ(seen->log_ratios.size(), 6u);
  EXPECT_LE(seen->spent, 6s);
  EXPECT_GT(seen->spent, 4s);
}

TEST(NoiseFloor, LongRunsHaveARoundInEachPairAllTheSame) {
  int rounds = 0;
  const auto seen = measure_pairs(always(2s), always(2s), {.budget = 6s, .pairs = 6}, {.after_round = [&] { ++rounds; }});
  EXPECT_EQ(rounds, 6);
  EXPECT_EQ(seen->log_ratios.size(), 6u);
  EXPECT_EQ(seen->runs, 6u * 2 * 3);
}

TEST(NoiseFloor, StoppedEarlyItHasThePairsThatWereComplete) {
  std::atomic<bool> stop{false};
  int rounds = 0;
  const NoiseHooks hooks{.after_round = [&] { stop = ++rounds == 4; }, .stop = &stop};
  const auto seen = measure_pairs(always(2s), always(2s), {.budget = 6s, .pairs = 6}, hooks);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->log_ratios.size(), 3u);
  EXPECT_FALSE(noise_floor(*seen));
}

TEST(NoiseFloor, AnErrorOfTheSubjectIsItsOwn) {
  const MakeSubject failing = []() -> Result<std::unique_ptr<Subject>> {
    auto subject = std::make_unique<FakeSubject>([](std::size_t) { return 5ms; });
    subject->fail_at = 4;
    return subject;
  };
  const auto seen = measure_pairs(always(5ms), failing, {.budget = 6s});
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, ErrorCode::DeviceUnusable);
}

TEST(NoiseFloor, WorkThatTakesNoTimeIsNoTrouble) {
  const auto seen = measure_pairs(always(0ns), always(0ns), {.budget = 1us, .pairs = 6});
  ASSERT_TRUE(seen);
  EXPECT_EQ(ratio(*seen)->value, 1.0);
}

}  // namespace
}  // namespace lapse::measuring
