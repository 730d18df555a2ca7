#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/base/version.hpp>
#include <lapse/host/affinity.hpp>
#include <lapse/host/fingerprint.hpp>
#include <string>

namespace lapse::host {
namespace {

TEST(Fingerprint, TellsWhatEveryLinuxMachineTells) {
  const Fingerprint machine = fingerprint();
  EXPECT_GE(machine.cpus_online, 1);
  EXPECT_EQ(machine.cpus_allowed, static_cast<int>(allowed_cpus().size()));
  EXPECT_GT(machine.memory_total, 1u << 20);
  EXPECT_FALSE(machine.kernel.empty());
  EXPECT_THAT(machine.libc, ::testing::StartsWith("glibc 2."));
}

TEST(Fingerprint, TellsHowLapseWasBuilt) {
  const Fingerprint machine = fingerprint();
  EXPECT_THAT(machine.lapse_version, ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(machine.git_commit, ::testing::MatchesRegex("([0-9a-f]{12,}(-dirty)?)?"));
  EXPECT_THAT(machine.compiler, ::testing::MatchesRegex("[A-Za-z]+ [0-9.]+"));
  EXPECT_EQ(machine.build_type, build_type());
}

TEST(Activity, OurOwnWorkIsCounted) {
  const Activity before = activity();
  Activity after = before;
  for (volatile unsigned work = 0; after.own_ticks == before.own_ticks; after = activity()) {
    for (int i = 0; i < 1'000'000; ++i) work = work + 1;
  }
  EXPECT_GT(after.own_ticks, before.own_ticks);
  EXPECT_GE(after.load_1min, 0.0);
}

TEST(Disturbance, SharesAreOfAllTheMachinesTime) {
  const Activity before{
      .steal_ticks = 10, .busy_ticks = 1000, .total_ticks = 5000, .own_ticks = 100, .throttled_periods = 3, .load_1min = 0};
  const Activity after{
      .steal_ticks = 20, .busy_ticks = 1080, .total_ticks = 5200, .own_ticks = 140, .throttled_periods = 5, .load_1min = 0};
  const Disturbance seen = between(before, after);
  EXPECT_DOUBLE_EQ(seen.steal, 10.0 / 200.0);
  EXPECT_DOUBLE_EQ(seen.others, (80.0 - 40.0 - 10.0) / 200.0);
  EXPECT_EQ(seen.throttled, 2u);
}

TEST(Disturbance, CountersThatStandStillOrStepBackGiveNoDisturbance) {
  const Activity later{.steal_ticks = 9, .busy_ticks = 9, .total_ticks = 9, .own_ticks = 9, .throttled_periods = 9, .load_1min = 0};
  for (const Activity& after : {later, Activity{}}) {
    const Disturbance seen = between(later, after);
    EXPECT_EQ(seen.steal, 0.0);
    EXPECT_EQ(seen.others, 0.0);
    EXPECT_EQ(seen.throttled, 0u);
  }
}

TEST(Disturbance, OwnTicksThatWereCountedMoreFinelyThanTheMachinesAreNotOthersWork) {
  const Activity before{};
  const Activity after{.steal_ticks = 0, .busy_ticks = 10, .total_ticks = 100, .own_ticks = 11, .throttled_periods = 0, .load_1min = 0};
  EXPECT_EQ(between(before, after).others, 0.0);
}

}  // namespace
}  // namespace lapse::host
