// Every rule of the audit about the device, on evidence written down by hand, on both sides of its thresholds.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/measure/judge.hpp>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

class JudgeTest : public ::testing::Test {
 protected:
  // An inference of 1 ms on the device, 100 µs to submit, nothing wrong.
  void SetUp() override {
    evidence_.examined = true;
    evidence_.empty_pair = 1us;
    looks(evidence_.alone, 9, 0us);
    looks(evidence_.between, 9, 0us);
    evidence_.single_backlog = {1ms, true};
    evidence_.backlogs.assign(9, {1ms, true});
    evidence_.fetch = 1us;
    evidence_.idle = Sample{{}, 100us, 1ms, 1ms, {}, {}};
    for (int i = 0; i < 10; ++i) samples_.push_back({i * 10ms, 100us, 1ms, 1ms, {}, {}});  // busy for 1 ms of every 10
  }

  static void looks(std::vector<Look>& out, std::size_t count, Duration left, Duration device = 1ms, Duration end_to_end = 1ms) {
    out.assign(count, {device, end_to_end, left});
  }
  Finding of(Rule rule, bool asynchronous = true) const {
    const auto findings = judge(evidence_, samples_, asynchronous);
    const auto found = std::ranges::find(findings, rule, &Finding::rule);
    EXPECT_NE(found, findings.end());
    return *found;
  }
  Verdict verdict(Rule rule, bool asynchronous = true) const { return of(rule, asynchronous).verdict; }
  std::string reason(Rule rule, bool asynchronous = true) const {
    const Finding finding = of(rule, asynchronous);
    EXPECT_EQ(finding.verdict, Verdict::NotExamined);
    return finding.reason;
  }
  void reading(Duration at, double mhz, std::uint32_t reasons = 0) { evidence_.clocks.push_back({at, mhz, reasons}); }

  Evidence evidence_;
  std::vector<Sample> samples_;
};

TEST_F(JudgeTest, FindsNothingWrongWhereNothingIs) {
  reading(500us, 1980);
  const auto findings = judge(evidence_, samples_, true);
  ASSERT_EQ(findings.size(), 6u);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(findings[i].rule), i) << "one a rule, in their order";
    EXPECT_EQ(findings[i].verdict, i == 0 ? Verdict::NotExamined : Verdict::Clean);
  }
  EXPECT_EQ(findings[0].reason, "asynchronous");
}

TEST_F(JudgeTest, SaysNothingOfWhatWasNotExaminedOrNeverRan) {
  EXPECT_THAT(judge(evidence_, {}, true), IsEmpty());
  evidence_.examined = false;
  EXPECT_THAT(judge(evidence_, samples_, true), IsEmpty());
}

TEST_F(JudgeTest, ABlockingSubjectIsJudgedByWhatIsPendingAlone) {
  EXPECT_EQ(verdict(Rule::PendingOnReturn, false), Verdict::Clean);
  for (const Rule rule : {Rule::OtherStream, Rule::SideStream, Rule::LaunchGaps, Rule::OutputsOnDevice}) {
    EXPECT_EQ(reason(rule, false), "blocking");
  }
  looks(evidence_.alone, 9, 1ms);
  const Finding found = of(Rule::PendingOnReturn, false);
  EXPECT_EQ(found.verdict, Verdict::Found);
  EXPECT_EQ(found.warning.code, "pending_on_return");
  EXPECT_EQ(found.warning.facts.at("left"), "1.000 ms");
}

TEST_F(JudgeTest, ALeftoverCountsBeyondTwentyMicroseconds) {
  looks(evidence_.alone, 9, 20us, 500us, 500us);
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Clean);
  looks(evidence_.alone, 9, 20us + 1ns, 500us, 500us);
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Found);
}

TEST_F(JudgeTest, ALeftoverCountsBeyondTwoPerCentOfALongRun) {
  looks(evidence_.alone, 9, 2ms, 100ms, 100ms);
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Clean);
  looks(evidence_.alone, 9, 2ms + 1ns, 100ms, 100ms);
  const Finding found = of(Rule::SideStream);
  EXPECT_EQ(found.verdict, Verdict::Found);
  EXPECT_EQ(found.warning.code, "side_stream");
  EXPECT_EQ(found.warning.facts.at("device"), "100.0 ms");
}

TEST_F(JudgeTest, ALeftoverCountsWhenMostLooksSeeIt) {
  looks(evidence_.alone, 8, 0us);
  for (std::size_t i = 0; i < 4; ++i) evidence_.alone[i].left = 1ms;
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Clean);
  evidence_.alone[4].left = 1ms;
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Found);
}

TEST_F(JudgeTest, ALeftoverBetweenBatchesCountsAsWellOnceThereAreThreeLooks) {
  looks(evidence_.between, 2, 3ms);
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Clean);
  looks(evidence_.between, 3, 3ms);
  const Finding found = of(Rule::SideStream);
  EXPECT_EQ(found.verdict, Verdict::Found);
  EXPECT_EQ(found.warning.facts.at("left"), "3.000 ms");  // of the looks that saw it
}

TEST_F(JudgeTest, FewerThanThreeLooksTellNothing) {
  evidence_.alone.resize(2);
  for (const Rule rule : {Rule::PendingOnReturn, Rule::OtherStream, Rule::SideStream}) EXPECT_EQ(reason(rule), "no-time");
  evidence_.alone.resize(3);
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Clean);
}

TEST_F(JudgeTest, MarksThatHoldNothingBehindABacklogStoodOnAnotherStream) {
  looks(evidence_.alone, 9, 1ms, 100us);   // the marks read as the call, because the stream was idle
  evidence_.single_backlog = {5us, true};  // three empty pairs and two microseconds
  const Finding found = of(Rule::OtherStream);
  EXPECT_EQ(found.verdict, Verdict::Found);
  EXPECT_EQ(found.warning.code, "other_stream");
  EXPECT_EQ(reason(Rule::SideStream), "other-stream");
  EXPECT_EQ(reason(Rule::LaunchGaps), "other-stream");
  evidence_.single_backlog = {5us + 1ns, true};
  EXPECT_EQ(verdict(Rule::OtherStream), Verdict::Clean);
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Found);
}

TEST_F(JudgeTest, WithoutABacklogThatHeldTheMarksThemselvesTellWhetherTheStreamWasIdle) {
  for (const std::optional<Backlog> none : {std::optional<Backlog>{}, std::optional<Backlog>{{0us, false}}}) {
    evidence_.single_backlog = none;
    looks(evidence_.alone, 9, 1ms, 5us);
    EXPECT_EQ(verdict(Rule::OtherStream), Verdict::Found);
    looks(evidence_.alone, 9, 1ms, 6us);
    EXPECT_EQ(verdict(Rule::OtherStream), Verdict::Clean);
  }
}

TEST_F(JudgeTest, NothingBetweenTheMarksIsNoFindingWhenNothingIsLeft) {
  looks(evidence_.alone, 9, 0us, 1us);
  evidence_.single_backlog = {1us, true};
  EXPECT_EQ(verdict(Rule::OtherStream), Verdict::Clean);
}

TEST_F(JudgeTest, AGapCountsBeyondFivePerCent) {
  evidence_.backlogs.assign(9, {950us, true});
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Clean);
  evidence_.backlogs.assign(9, {949us, true});
  const Finding found = of(Rule::LaunchGaps);
  EXPECT_EQ(found.verdict, Verdict::Found);
  EXPECT_EQ(found.warning.code, "launch_gaps");
  EXPECT_EQ(found.warning.facts.at("device"), "1.000 ms");
  EXPECT_EQ(found.warning.facts.at("work"), "949.0 µs");
  EXPECT_EQ(found.warning.facts.at("percent"), "5.1 %");
}

TEST_F(JudgeTest, AGapCountsBeyondTwoMicroseconds) {
  evidence_.idle->device = 10us;
  evidence_.backlogs.assign(9, {8us, true});
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Clean);
  evidence_.backlogs.assign(9, {8us - 1ns, true});
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Found);
}

TEST_F(JudgeTest, AGapCountsBeyondFiveDeviationsOfTheFewRunsBehindABacklog) {
  for (std::size_t i = 0; i < samples_.size(); ++i) samples_[i].device = 1ms + (i % 2 == 0 ? 40465ns : -40465ns);
  // Median distance 40.47 µs from either median: a deviation of at least 60 µs, of nine runs 20 µs, five of those 100 µs.
  samples_.push_back({100ms, 100us, 1ms, 1ms, {}, {}});
  evidence_.backlogs.assign(9, {901us, true});
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Clean);
  evidence_.backlogs.assign(9, {899us, true});
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Found);
  evidence_.backlogs.assign(1, {701us, true});
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Clean);
  evidence_.backlogs.assign(1, {699us, true});
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Found);
}

TEST_F(JudgeTest, ADeviceThatIsSlowerBehindABacklogHasNoGaps) {
  evidence_.backlogs.assign(9, {2ms, true});
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Clean);
}

TEST_F(JudgeTest, OnlyABacklogThatHeldTells) {
  evidence_.backlogs.assign(9, {100us, false});
  EXPECT_EQ(reason(Rule::LaunchGaps), "self-synchronising");
  evidence_.backlogs[4] = {500us, true};
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Found);
}

TEST_F(JudgeTest, WhereBacklogsWereNotNeededThereAreNoGaps) {
  evidence_.backlogs.clear();
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Clean);
}

TEST_F(JudgeTest, WhereThereWasNoTimeForBacklogsTheSingleOneTellsIfItHeld) {
  evidence_.backlogs.clear();
  evidence_.no_time_for_backlogs = true;
  evidence_.single_backlog = {500us, true};
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Found);
  evidence_.single_backlog = {990us, true};
  EXPECT_EQ(verdict(Rule::LaunchGaps), Verdict::Clean);
  evidence_.single_backlog = {500us, false};
  EXPECT_EQ(reason(Rule::LaunchGaps), "no-time");
  evidence_.single_backlog.reset();
  EXPECT_EQ(reason(Rule::LaunchGaps), "no-time");
}

TEST_F(JudgeTest, AMeasurementThatWasCutShortSaysNothingOfWhatWasLeftOut) {
  evidence_.idle.reset();
  evidence_.fetch.reset();
  evidence_.backlogs.clear();
  EXPECT_EQ(reason(Rule::LaunchGaps), "no-time");
  EXPECT_EQ(reason(Rule::OutputsOnDevice), "no-time");
  EXPECT_EQ(verdict(Rule::SideStream), Verdict::Clean);  // this was looked at before
}

TEST_F(JudgeTest, FetchingOutputsCountsBeyondTwentyMicroseconds) {
  evidence_.idle->end_to_end = 100us;
  evidence_.fetch = 20us;
  EXPECT_EQ(verdict(Rule::OutputsOnDevice), Verdict::Clean);
  evidence_.fetch = 20us + 1ns;
  EXPECT_EQ(verdict(Rule::OutputsOnDevice), Verdict::Found);
}

TEST_F(JudgeTest, FetchingOutputsCountsBeyondTwoPerCentOfARun) {
  evidence_.idle->end_to_end = 100ms;
  evidence_.fetch = 2ms;
  EXPECT_EQ(verdict(Rule::OutputsOnDevice), Verdict::Clean);
  evidence_.fetch = 2ms + 1ns;
  const Finding found = of(Rule::OutputsOnDevice);
  EXPECT_EQ(found.verdict, Verdict::Found);
  EXPECT_EQ(found.warning.code, "outputs_on_device");
  EXPECT_EQ(found.warning.facts.at("fetch"), "2.000 ms");
}

TEST_F(JudgeTest, AClockFellBelowNinetyFivePerCentOfItsHighest) {
  reading(500us, 2000);
  reading(10500us, 1900);
  EXPECT_EQ(verdict(Rule::Clocks), Verdict::Clean);
  reading(20500us, 1899);
  evidence_.max_mhz = 2100;
  const Finding found = of(Rule::Clocks);
  EXPECT_EQ(found.verdict, Verdict::Found);
  EXPECT_EQ(found.warning.code, "clock_fell");
  EXPECT_EQ(found.warning.facts.at("low"), "1899");
  EXPECT_EQ(found.warning.facts.at("high"), "2000");
  EXPECT_EQ(found.warning.facts.at("max"), "2100");
  EXPECT_FALSE(found.warning.facts.contains("reasons"));
}

TEST_F(JudgeTest, ALowButSteadyClockIsNoFall) {
  evidence_.max_mhz = 2100;
  for (int i = 0; i < 10; ++i) reading(i * 10ms, 1000);
  EXPECT_EQ(verdict(Rule::Clocks), Verdict::Clean);
}

TEST_F(JudgeTest, NamesWhatHeldTheClockDownAndHowOften) {
  reading(500us, 2000);
  reading(10500us, 1990, static_cast<std::uint32_t>(device::ClockReason::Thermal));
  reading(20500us, 1990, static_cast<std::uint32_t>(device::ClockReason::PowerCap));
  reading(30500us, 2000);
  const Finding found = of(Rule::Clocks);
  EXPECT_EQ(found.verdict, Verdict::Found);
  EXPECT_EQ(found.warning.code, "clock_held_down");
  EXPECT_EQ(found.warning.facts.at("reasons"), "power cap, thermal");
  EXPECT_EQ(found.warning.facts.at("percent"), "50 %");
  EXPECT_FALSE(found.warning.facts.contains("max"));
}

TEST_F(JudgeTest, NamesEveryReason) {
  reading(500us, 2000, 2 | 8);
  reading(10500us, 2000, 4);
  EXPECT_EQ(of(Rule::Clocks).warning.facts.at("reasons"), "thermal, hardware slowdown, clock settings");
}

TEST_F(JudgeTest, AClockBetweenTwoRunsIsNobodysBusiness) {
  reading(500us, 2000);
  for (const Duration at : std::initializer_list<Duration>{-1ms, 1000001ns, 5ms, 9999999ns, 200ms}) reading(at, 300, 1);
  std::ranges::sort(evidence_.clocks, {}, &device::ClockReading::at);
  EXPECT_EQ(verdict(Rule::Clocks), Verdict::Clean);
  evidence_.clocks = {{0ms, 2000, 0}, {1ms, 300, 0}};  // both ends of a run belong to it
  EXPECT_EQ(verdict(Rule::Clocks), Verdict::Found);
}

TEST_F(JudgeTest, AReadingDuringAnyOfSeveralRunsInFlightCounts) {
  // The second is over before the first.
  samples_ = {{0ms, 1us, 10ms, 10ms, {}, {}}, {0ms, 1us, 1ms, 1ms, {}, {}}, {20ms, 1us, 1ms, 1ms, {}, {}}};
  reading(500us, 2000);
  reading(8ms, 1000);
  EXPECT_EQ(verdict(Rule::Clocks), Verdict::Found);
}

TEST_F(JudgeTest, WithoutAReadingDuringARunTheClocksAreNotExamined) {
  EXPECT_EQ(reason(Rule::Clocks), "no-reading");
  reading(5ms, 300, 1);
  EXPECT_EQ(reason(Rule::Clocks), "no-reading");
  EXPECT_EQ(reason(Rule::Clocks, false), "no-reading");
}

TEST(BoundTest, IsTheLaunchWhenTheHostTakesLongerThanTheDevice) {
  EXPECT_EQ(bound(2ms, 1ms), Bound::Launch);
  EXPECT_EQ(bound(1ms, 1ms), Bound::Device);
  EXPECT_EQ(bound(1ms, 2ms), Bound::Device);
  EXPECT_EQ(bound(0ms, 0ms), Bound::Unknown);
  EXPECT_EQ(name(Bound::Unknown), "");
}

}  // namespace
}  // namespace lapse::measuring
