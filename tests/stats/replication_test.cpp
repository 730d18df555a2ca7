#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <lapse/stats/replication.hpp>
#include <limits>
#include <random>
#include <vector>

namespace lapse::stats {
namespace {

TEST(AcrossProcesses, IsNotKnownFromOneProcess) {
  EXPECT_FALSE(across_processes({}));
  EXPECT_FALSE(across_processes(std::array{5.0}));
}

TEST(AcrossProcesses, HasStudentsIntervalOfTheMean) {
  // Mean 5, standard deviation √2.5, t(4) at 97.5 % is 2.776445: half-width 2.776445 · √(2.5 / 5) = 1.963243.
  const auto mean = across_processes(std::array{3.0, 4.0, 5.0, 6.0, 7.0});
  ASSERT_TRUE(mean);
  EXPECT_DOUBLE_EQ(mean->value, 5.0);
  EXPECT_NEAR(mean->low, 5.0 - 1.963243, 1e-6);
  EXPECT_NEAR(mean->high, 5.0 + 1.963243, 1e-6);
  EXPECT_EQ(mean->effective, 5.0);
}

TEST(AcrossProcesses, OfEqualValuesIsAPoint) {
  const auto mean = across_processes(std::vector<double>(7, 0.1));
  ASSERT_TRUE(mean);
  EXPECT_EQ(mean->low, 0.1);
  EXPECT_EQ(mean->high, 0.1);
}

TEST(ProcessFigure, ItsErrorIsThatOfANormalIntervalRelativeToTheValue) {
  const ProcessFigure figure = process_figure({200.0, 200.0 - 1.959964, 200.0 + 1.959964}, 81);
  EXPECT_EQ(figure.value, 200.0);
  EXPECT_EQ(figure.runs, 81U);
  EXPECT_NEAR(figure.relative_error, 1.0 / 200.0, 1e-8);
}

TEST(VarianceComponents, TellsWhatIsOfAProcessFromWhatIsOfARun) {
  // Values e^±0.1: variance 0.02 between the two observed; each has an error of 0.05, so 0.0025 of it is of the 100 runs, 0.25 a run.
  const std::array processes{ProcessFigure{std::exp(0.1), 0.05, 100}, ProcessFigure{std::exp(-0.1), 0.05, 100}};
  const auto components = variance_components(processes);
  ASSERT_TRUE(components);
  EXPECT_NEAR(components->within, 0.25, 1e-12);
  EXPECT_NEAR(components->between, 0.0175, 1e-12);
}

TEST(VarianceComponents, ProcessesThatAgreeBetterThanTheirErrorsDoNotDiffer) {
  const std::array processes{ProcessFigure{100.0, 0.05, 10}, ProcessFigure{100.1, 0.05, 10}};
  EXPECT_EQ(variance_components(processes)->between, 0.0);
}

TEST(VarianceComponents, AreNotKnownFromOneProcessOrWithoutAnyError) {
  const ProcessFigure unknown{100.0, std::numeric_limits<double>::infinity(), 3};
  EXPECT_FALSE(variance_components(std::array{ProcessFigure{100.0, 0.05, 10}}));
  EXPECT_FALSE(variance_components(std::array{unknown, unknown}));
  EXPECT_TRUE(variance_components(std::array{unknown, ProcessFigure{100.0, 0.05, 10}}));
}

TEST(Plan, TakesKaliberaAndJonesRunsAndAsManyProcessesAsStudentAsksFor) {
  // √(1000 / 10 · 0.01 / 0.0001) = 100 runs; a process then has 0.0001 + 0.01 / 100 = 0.0002. t(9) · √(0.0002 / 10) = 2.2622 · 0.0044721 =
  // 0.010117, t(10) · √(0.0002 / 11) = 2.2281 · 0.0042640 = 0.009501: eleven for 1 %.
  const auto found = plan({0.01, 0.0001}, {1000.0, 10.0}, 0.01);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->processes, 11U);
  // Of the 100 runs eleven processes need fewer: 0.01 / ((0.01 / 2.2281)² · 11 - 0.0001) = 82.3.
  EXPECT_EQ(found->runs, 83U);
  EXPECT_DOUBLE_EQ(found->cost, 11.0 * (1000.0 + 83.0 * 10.0));
}

TEST(Plan, WhereProcessesDoNotDifferTakesTheFewestOfThem) {
  const auto found = plan({0.01, 0.0}, {1000.0, 10.0}, 0.01);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->processes, kFewestProcesses);
  EXPECT_EQ(found->runs, 155U);  // 0.01 · t(4)² / (5 · 0.01²) = 0.01 · 7.70865 / 0.0005 = 154.2
}

TEST(Plan, ItsIntervalIsAsWideAsAskedForAndWithOneProcessFewerItIsWider) {
  const Components components{0.04, 0.0004};
  for (const double precision : {0.002, 0.01, 0.05}) {
    const auto found = plan(components, {5e8, 5e6}, precision);
    ASSERT_TRUE(found) << precision;
    const auto half_width = [&](std::size_t processes, std::size_t runs) {
      // Of values that lie one standard deviation to each side, as many left as right.
      std::vector<double> values;
      const double variance = components.between + components.within / static_cast<double>(runs);
      const auto count = static_cast<double>(processes);
      for (std::size_t i = 0; i < processes; ++i) {
        const double position = (static_cast<double>(i) - (count - 1.0) / 2.0) / std::sqrt((count + 1.0) * count / 12.0);
        values.push_back(100.0 + position * std::sqrt(variance));
      }
      return across_processes(values)->high - 100.0;
    };
    EXPECT_LE(half_width(found->processes, found->runs), precision * 1.000001) << precision;
    if (found->processes > kFewestProcesses) {
      EXPECT_GT(half_width(found->processes - 1, found->runs), precision) << precision;
    }
  }
}

TEST(Plan, RunsOfEachAreEnoughForAMedianAndCheapProcessesAreNotFilled) {
  EXPECT_EQ(plan({0.0, 0.01}, {1.0, 1.0}, 0.05)->runs, 6U);
  EXPECT_EQ(plan({1e-6, 0.01}, {1e-3, 1.0}, 0.05)->runs, 6U);
}

TEST(Plan, SaysWhenItWouldTakeForever) { EXPECT_FALSE(plan({0.01, 1.0}, {1.0, 1.0}, 1e-4)); }

/// How often the interval of `processes` values, each a process's own level with noise of its runs, holds the mean of all processes.
double covered(std::size_t processes) {
  constexpr int kTrials = 4000;
  std::mt19937_64 random(71);
  std::normal_distribution<double> noise;
  int held = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> medians;
    for (std::size_t i = 0; i < processes; ++i) medians.push_back(100.0 + 3.0 * noise(random) + 0.5 * noise(random));
    const auto mean = across_processes(medians);
    held += mean->low <= 100.0 && 100.0 <= mean->high ? 1 : 0;
  }
  return static_cast<double>(held) / kTrials;
}

TEST(KnownWithin, WantsThreeLooksInARow) {
  std::vector<double> values{99.0, 101.0, 99.0, 101.0, 99.0, 101.0};  // ± 1.15 % of six, 0.98 % of seven, 0.89 % of eight
  const auto after = [&values](double next, double precision) {
    values.push_back(next);
    return known_within(values, precision);
  };
  EXPECT_FALSE(after(99.0, 0.012)) << "two looks";
  EXPECT_TRUE(known_within(std::vector{99.0, 101.0, 99.0, 101.0, 99.0, 101.0, 99.0, 101.0}, 0.012));
  EXPECT_FALSE(known_within(std::vector{99.0, 101.0, 99.0, 101.0, 99.0, 101.0, 99.0, 101.0}, 0.010)) << "the first of three";
  EXPECT_FALSE(after(101.0, 0.008));
  EXPECT_FALSE(after(150.0, 0.012)) << "an outlier begins it anew";
  EXPECT_TRUE(known_within(std::vector<double>(8, 7.0), 1e-9));
  EXPECT_FALSE(known_within(std::vector<double>(7, 7.0), 1e-9)) << "too few, however alike";
}

TEST(KnownWithin, AnIntervalThatItEndedCoversNearlyAsOftenAsItSays) {
  constexpr int kTrials = 4000;
  constexpr double kSimulationError = 0.016;  // four standard errors
  for (const double spread : {1.0, 2.0}) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> process(100.0, spread);
    int held = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<double> medians{process(random)};
      while (!known_within(medians, 0.01)) medians.push_back(process(random));
      const auto mean = across_processes(medians);
      held += mean->low <= 100.0 && 100.0 <= mean->high ? 1 : 0;
    }
    EXPECT_GE(static_cast<double>(held) / kTrials, 0.936 - kSimulationError) << spread;
  }
}

TEST(AcrossProcesses, CoversTheMeanOfAllProcessesAsOftenAsItSays) {
  constexpr double kSimulationError = 0.014;  // four standard errors
  for (const std::size_t processes : {2U, 5U, 20U}) EXPECT_NEAR(covered(processes), 0.95, kSimulationError) << processes;
}

}  // namespace
}  // namespace lapse::stats
