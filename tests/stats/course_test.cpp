#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <lapse/stats/course.hpp>
#include <numbers>
#include <string>
#include <vector>

#include "noise.hpp"

namespace lapse::stats {
namespace {

using Level = std::function<double(double share)>;

// Noise of a third of the change that is to be seen, round a level that goes by the share of the series.
std::vector<double> series(const Level& level, std::size_t count = 1000, std::uint64_t seed = 1, double deviation = 0.05 / 3) {
  auto out = Noise(seed).around_one(count, deviation);
  for (std::size_t i = 0; i < count; ++i) out[i] *= 5e6 * level(static_cast<double>(i) / static_cast<double>(count));
  return out;
}

std::string verdict(const std::vector<double>& values) { return std::string(name(examine_course(values).verdict)); }
double flat(double) { return 1.0; }

TEST(Course, noise_is_flat) {
  const Steadiness found = examine_course(series(flat));
  EXPECT_EQ(found.verdict, Course::Flat);
  EXPECT_EQ(found.steady_from, 0U);
  ASSERT_EQ(found.segments.size(), 1U);
  EXPECT_EQ(found.segments[0].count, 1000U);
  EXPECT_NEAR(found.segments[0].median, 5e6, 5e6 * 0.003);
}

TEST(Course, slow_runs_first_are_warm_up) {
  const Steadiness found = examine_course(series([](double share) { return share < 0.1 ? 1.5 : 1.0; }));
  EXPECT_EQ(found.verdict, Course::WarmUp);
  EXPECT_NEAR(static_cast<double>(found.steady_from), 100.0, 3.0);
  ASSERT_EQ(found.segments.size(), 2U);
  EXPECT_NEAR(found.segments[0].median / found.segments[1].median, 1.5, 0.02);
}

TEST(Course, a_ramp_is_warm_up) {
  EXPECT_EQ(verdict(series([](double share) { return 1.0 + std::exp(-share * 100); })), "warm-up");
}

TEST(Course, a_step_up_is_a_slowdown) {
  const Steadiness found = examine_course(series([](double share) { return share < 0.5 ? 1.0 : 1.05; }));
  EXPECT_EQ(found.verdict, Course::Slowdown);
  EXPECT_NEAR(static_cast<double>(found.steady_from), 500.0, 5.0);
}

TEST(Course, a_step_near_the_end_is_no_steady_state) {
  EXPECT_EQ(verdict(series([](double share) { return share < 0.9 ? 1.0 : 1.05; })), "no-steady-state");
}

TEST(Course, a_level_that_comes_back_is_no_steady_state) {
  EXPECT_EQ(verdict(series([](double share) { return share > 0.3 && share < 0.6 ? 1.1 : 1.0; })), "no-steady-state");
}

TEST(Course, drift_is_not_flat) {
  for (const double change : {0.05, -0.05}) {
    EXPECT_NE(verdict(series([change](double share) { return 1.0 + change * share; })), "flat") << change;
  }
}

TEST(Course, a_cycle_is_no_steady_state_and_tells_its_length) {
  for (const double cycles : {10.3, 25.0, 50.4}) {
    const Steadiness found =
        examine_course(series([cycles](double share) { return 1.0 + 0.025 * std::sin(2 * std::numbers::pi * cycles * share); }));
    EXPECT_EQ(found.verdict, Course::NoSteadyState);
    EXPECT_NEAR(found.cycle, 1000 / cycles, 0.05 * 1000 / cycles);
  }
}

TEST(Course, input_sets_that_take_turns_are_no_cycle) {
  auto values = series(flat);
  for (std::size_t i = 0; i < values.size(); i += 4) values[i] *= 1.2;
  EXPECT_EQ(verdict(values), "flat");
}

TEST(Course, changes_within_the_band_are_no_change) {
  EXPECT_EQ(verdict(series([](double share) { return share < 0.5 ? 1.0 : 1.015; }, 4000, 1, 0.005)), "flat");
}

// What flags these, flags everything.
TEST(Course, dependence_spikes_and_two_modes_are_flat) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(verdict(Noise(seed).around_one(1000, 0.03, 0.9)), "flat") << seed;
    auto spikes = series(flat, 1000, seed), modes = series(flat, 1000, seed);
    Noise noise(seed + 100);
    for (double& value : spikes) value *= noise.uniform() < 0.02 ? 10.0 : 1.0;
    for (double& value : modes) value *= noise.uniform() < 0.2 ? 1.3 : 1.0;
    EXPECT_EQ(verdict(spikes), "flat") << seed;
    EXPECT_EQ(verdict(modes), "flat") << seed;
  }
}

TEST(Course, a_change_shows_through_dependence_and_spikes) {
  auto values = Noise(5).around_one(2000, 0.01, 0.5);
  Noise noise(6);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= (i < 800 ? 1.06 : 1.0) * (noise.uniform() < 0.02 ? 10.0 : 1.0);
  const Steadiness found = examine_course(values);
  EXPECT_EQ(found.verdict, Course::WarmUp);
  EXPECT_NEAR(static_cast<double>(found.steady_from), 800.0, 20.0);
}

TEST(Course, a_long_series_is_looked_at_in_blocks) {
  const Steadiness found = examine_course(series([](double share) { return share < 0.25 ? 1.05 : 1.0; }, 200'000));
  EXPECT_EQ(found.verdict, Course::WarmUp);
  EXPECT_NEAR(static_cast<double>(found.steady_from), 50'000.0, 200.0);
}

TEST(Course, few_runs_tell_nothing) {
  EXPECT_EQ(verdict({}), "too-short");
  EXPECT_EQ(verdict(series(flat, 29)), "too-short");
  EXPECT_EQ(verdict(series(flat, 30)), "flat");
}

TEST(Course, equal_times_are_flat) { EXPECT_EQ(verdict(std::vector<double>(1000, 5e6)), "flat"); }

TEST(Course, times_of_nought_are_no_division) { EXPECT_EQ(verdict(std::vector<double>(1000, 0.0)), "flat"); }

}  // namespace
}  // namespace lapse::stats
