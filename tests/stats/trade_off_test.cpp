#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/stats/trade_off.hpp>
#include <limits>
#include <vector>

namespace lapse::stats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

std::optional<std::size_t> knee_of(const std::vector<TradeOff>& points) { return knee(points, pareto_front(points)); }

TEST(ParetoFront, LeavesOutWhatAnotherPointBeats) {
  // The third has less throughput than the second at more latency, the fourth the same latency as the second and less throughput, the
  // sixth the same throughput as the fifth at more latency.
  const std::vector<TradeOff> points{{1.0, 100.0}, {2.0, 180.0}, {2.5, 170.0}, {2.0, 150.0}, {3.0, 200.0}, {4.0, 200.0}};
  EXPECT_THAT(pareto_front(points), ElementsAre(0, 1, 4));
}

TEST(ParetoFront, IsInTheOrderOfLatencyWhateverThatOfThePoints) {
  EXPECT_THAT(pareto_front(std::vector<TradeOff>{{3.0, 200.0}, {1.0, 100.0}, {2.0, 180.0}}), ElementsAre(1, 2, 0));
}

TEST(ParetoFront, KeepsOrDropsEqualPointsTogether) {
  EXPECT_THAT(pareto_front(std::vector<TradeOff>{{2.0, 10.0}, {1.0, 5.0}, {2.0, 10.0}}), ElementsAre(1, 0, 2));
  EXPECT_THAT(pareto_front(std::vector<TradeOff>{{2.0, 10.0}, {1.0, 10.0}, {2.0, 10.0}}), ElementsAre(1));
}

TEST(ParetoFront, OfNothingAndOfOneAndOfWhatIsNoNumber) {
  EXPECT_THAT(pareto_front({}), IsEmpty());
  EXPECT_THAT(pareto_front(std::vector<TradeOff>{{1.0, 0.0}}), ElementsAre(0));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(pareto_front(std::vector<TradeOff>{{kInfinite, 9.0}, {nan, 9.0}, {1.0, 2.0}, {0.5, nan}, {0.5, kInfinite}}), ElementsAre(2));
}

TEST(Knee, IsThePointFurthestAboveTheChord) {
  // Scaled: (0, 0), (1/3, 80/105), (2/3, 100/105), (1, 1): above the chord by 3/7, 2/7.
  const std::vector<TradeOff> points{{1.0, 100.0}, {2.0, 180.0}, {3.0, 200.0}, {4.0, 205.0}};
  EXPECT_EQ(knee_of(points), 1U);
}

TEST(Knee, DoesNotDependOnTheUnits) {
  const std::vector<TradeOff> points{{1e6, 0.1}, {2e6, 0.18}, {3e6, 0.2}, {4e6, 0.205}};
  EXPECT_EQ(knee_of(points), 1U);
}

TEST(Knee, IsLookedForOnTheFrontAlone) {
  // Scaled over the front: (1/3, 1/5), (2/3, 9/10). The first point is not on it.
  const std::vector<TradeOff> points{{3.9, 10.0}, {1.0, 100.0}, {2.0, 120.0}, {3.0, 190.0}, {4.0, 200.0}};
  EXPECT_EQ(knee_of(points), 3U);
}

TEST(Knee, OfEquallyFarPointsIsTheOneWithLessLatency) {
  // Scaled: (1/8, 3/8) and (1/4, 1/2), both 1/4 above.
  const std::vector<TradeOff> points{{0.0, 0.0}, {1.0, 3.0}, {2.0, 4.0}, {8.0, 8.0}};
  EXPECT_EQ(knee_of(points), 1U);
}

TEST(Knee, IsNotThereWithoutABend) {
  EXPECT_EQ(knee_of({}), std::nullopt);
  EXPECT_EQ(knee_of({{1.0, 1.0}}), std::nullopt);
  EXPECT_EQ(knee_of({{1.0, 1.0}, {2.0, 2.0}}), std::nullopt);
  EXPECT_EQ(knee_of({{1.0, 1.0}, {1.0, 1.0}, {1.0, 1.0}}), std::nullopt);
  EXPECT_EQ(knee_of({{0.1, 0.3}, {0.2, 0.6}, {0.7, 2.1}, {1.1, 3.3}}), std::nullopt) << "straight";
  EXPECT_EQ(knee_of({{1.0, 1.0}, {2.0, 1.1}, {3.0, 9.0}}), std::nullopt) << "bends the other way";
}

const QuantileEstimate kUnsupported = tl::unexpected(Needs{368});

TEST(Within, IsSaidByTheUpperEndOfTheInterval) {
  EXPECT_EQ(within(std::vector<QuantileEstimate>{Estimate{45.0, 40.0, 49.0}}, 50.0), Verdict::Within);
  EXPECT_EQ(within(std::vector<QuantileEstimate>{Estimate{45.0, 40.0, 50.0}}, 50.0), Verdict::Within);
  EXPECT_EQ(within(std::vector<QuantileEstimate>{Estimate{45.0, 40.0, 51.0}}, 50.0), Verdict::Undecided);
  EXPECT_EQ(within(std::vector<QuantileEstimate>{Estimate{55.0, 50.0, 60.0}}, 50.0), Verdict::Undecided);
  EXPECT_EQ(within(std::vector<QuantileEstimate>{Estimate{55.0, 50.1, 60.0}}, 50.0), Verdict::Over);
}

TEST(Within, IsUndecidedWithoutAnIntervalUnlessALowerQuantileIsOverAlready) {
  const QuantileEstimate median = Estimate{45.0, 44.0, 46.0};
  EXPECT_EQ(within(std::vector{median, kUnsupported}, 50.0), Verdict::Undecided);
  EXPECT_EQ(within(std::vector{median, kUnsupported}, 43.0), Verdict::Over);
  EXPECT_EQ(within(std::vector{kUnsupported}, 50.0), Verdict::Undecided);
}

TEST(Within, ALowerQuantileThatKeepsTheLimitSaysNothing) {
  EXPECT_EQ(within(std::vector<QuantileEstimate>{Estimate{10.0, 9.0, 11.0}, Estimate{55.0, 52.0, 60.0}}, 50.0), Verdict::Over);
}

TEST(LargestWithin, TakesTheLargestBatchThatIsKnownToKeepTheLimit) {
  const std::vector<Candidate> candidates{
      {1, 10.0, Verdict::Within}, {8, 60.0, Verdict::Within}, {16, 90.0, Verdict::Undecided}, {32, 99.0, Verdict::Over}};
  EXPECT_EQ(largest_within(candidates), 1U);
}

TEST(LargestWithin, OfEqualBatchesTakesTheOneWithTheMostThroughputThenTheFirst) {
  EXPECT_EQ(largest_within(std::vector<Candidate>{{8, 60.0, Verdict::Within}, {8, 80.0, Verdict::Within}, {8, 80.0, Verdict::Within}}), 1U);
}

TEST(LargestWithin, IsNoneWhereNoneIsKnownToBe) {
  EXPECT_EQ(largest_within({}), std::nullopt);
  EXPECT_EQ(largest_within(std::vector<Candidate>{{1, 10.0, Verdict::Undecided}, {2, 10.0, Verdict::Over}}), std::nullopt);
}

}  // namespace
}  // namespace lapse::stats
