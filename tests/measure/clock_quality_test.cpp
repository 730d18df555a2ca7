#include <gtest/gtest.h>

#include <lapse/measure/clock_quality.hpp>
#include <vector>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

/// Its clock goes on by the steps that a test writes down, over and over.
class SteppingTimeline final : public device::Timeline {
 public:
  explicit SteppingTimeline(std::vector<Duration> steps) : steps_(std::move(steps)) {}
  device::Instant now() noexcept override { return now_ += steps_[readings_++ % steps_.size()]; }
  void* stream(std::size_t) noexcept override { return nullptr; }
  Result<device::Mark> make_mark() override { return device::Mark{}; }
  Result<void> record(device::Mark, std::size_t) override { return {}; }
  Result<void> follow(device::Mark, std::size_t) override { return {}; }
  Result<bool> passed(device::Mark) override { return true; }
  Result<void> wait(device::Mark) override { return {}; }
  Result<std::size_t> wait_any(std::span<const device::Mark>) override { return std::size_t{0}; }
  Result<void> synchronize() override { return {}; }
  Result<Duration> elapsed(device::Mark, device::Mark) override { return Duration{}; }
  Result<void> flush_cache(std::size_t) override { return {}; }

 private:
  std::vector<Duration> steps_;
  std::size_t readings_ = 0;
  device::Instant now_{};
};

TEST(ClockQuality, AReadingsCostIsTheMeanStepAndItsResolutionTheSmallest) {
  SteppingTimeline clock({20ns, 30ns});
  const ClockQuality quality = examine_clock(clock, 100us);
  EXPECT_NEAR(quality.reading_ns, 25.0, 0.01);
  EXPECT_EQ(quality.resolution, 20ns);
  EXPECT_EQ(quality.backward, 0u);
  EXPECT_EQ(quality.gaps, 0u);
  EXPECT_EQ(quality.lost, 0ns);
}

TEST(ClockQuality, ACoarseClockStandsStillAndThenJumps) {
  SteppingTimeline clock({0ns, 0ns, 0ns, 1us});
  const ClockQuality quality = examine_clock(clock, 100us);
  EXPECT_EQ(quality.resolution, 1us);
  EXPECT_NEAR(quality.reading_ns, 250.0, 1.0);
}

TEST(ClockQuality, LongStepsAreTimeThatTheThreadWasNotGiven) {
  SteppingTimeline clock({0ns, 20ns, 20ns, 10us, 20ns, 50us, 20ns, 20ns});
  const ClockQuality quality = examine_clock(clock, 60'100ns);
  EXPECT_EQ(quality.gaps, 2u);
  EXPECT_EQ(quality.lost, 60us);
  EXPECT_EQ(quality.longest, 50us);
  EXPECT_EQ(quality.watched, 60'100ns);
  EXPECT_EQ(quality.reading_ns, 20.0) << "gaps are no cost of a reading";
}

TEST(ClockQuality, AClockThatGoesBackIsFoundOut) {
  SteppingTimeline clock({20ns, 20ns, -10ns, 20ns});
  EXPECT_GT(examine_clock(clock, 10us).backward, 100u);
}

}  // namespace
}  // namespace lapse::measuring
