#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/device/host_timeline.hpp>
#include <lapse/device/simulated.hpp>
#include <lapse/host/affinity.hpp>
#include <lapse/measure/machine.hpp>
#include <lapse/measure/reference_work.hpp>
#include <string>
#include <vector>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

TEST(SpeedSpread, IsFromTheFiveToTheNinetyFivePercentQuantileOverTheMedian) {
  std::vector<Duration> spins;
  for (int i = 0; i <= 100; ++i) spins.push_back(1000ns + i * 1ns);
  EXPECT_NEAR(speed_spread(spins), 90.0 / 1050.0, 1e-12);
  std::ranges::reverse(spins);
  EXPECT_NEAR(speed_spread(spins), 90.0 / 1050.0, 1e-12) << "in any order";
  EXPECT_EQ(speed_spread({}), 0.0);
  EXPECT_EQ(speed_spread({5us}), 0.0);
  EXPECT_EQ(speed_spread({5us, 5us}), 0.0);
}

TEST(ExamineMachine, LooksAtEverythingAndLeavesTheThreadWhereItWas) {
  const auto allowed = host::allowed_cpus();
  std::vector<std::string> phases;
  const auto progress = [&](std::string_view phase, Duration) {
    if (phases.empty() || phases.back() != phase) phases.emplace_back(phase);
  };
  const auto seen = examine_machine(1s, {.progress = progress});
  ASSERT_TRUE(seen) << seen.error().message;
  EXPECT_EQ(phases.front(), "clock");
  EXPECT_EQ(phases.back(), "end");
  EXPECT_GE(seen->arithmetic.log_ratios.size(), kFewestPairs);
  EXPECT_GE(seen->spins.size(), kFewestPairs);
  EXPECT_GT(seen->clock.reading_ns, 0.0);
  EXPECT_EQ(seen->company.has_value(), allowed.size() > 1);
  EXPECT_EQ(host::allowed_cpus(), allowed);
}

TEST(ExamineMachine, IsOverWhenItIsToldSo) {
  const std::atomic<bool> stop{true};
  const auto seen = examine_machine(1h, {.progress = {}, .stop = &stop});
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, ErrorCode::Interrupted);
}

TEST(ExamineDevice, ASimulatedOneHasNoClockToRead) {
  device::SimTimeline timeline(device::SimTimeline::Time::Virtual);
  const auto state = examine_device(timeline);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->info.name, "simulated device");
  EXPECT_FALSE(state->busy);
}

TEST(ExamineDevice, TheHostIsNone) {
  device::HostTimeline timeline;
  EXPECT_FALSE(examine_device(timeline));
}

TEST(ReferenceWork, TheTableIsLargerThanACacheAndNotTooLarge) {
  EXPECT_GE(table_bytes(), std::size_t{64} << 20);
  EXPECT_LE(table_bytes(), std::size_t{128} << 20);
  EXPECT_EQ(table_bytes() & (table_bytes() - 1), 0u) << "a power of two";
}

TEST(ReferenceWork, EachDoesItsWorkOnTheHost) {
  for (const HugePages pages : {HugePages::AsItIs, HugePages::Yes, HugePages::No}) {
    const auto gather = make_gather(pages);
    ASSERT_TRUE(gather);
    EXPECT_TRUE((*gather)->submit(0, 0));
    EXPECT_FALSE((*gather)->asynchronous());
  }
  EXPECT_TRUE(make_arithmetic()->submit(0, 0));
}

}  // namespace
}  // namespace lapse::measuring
