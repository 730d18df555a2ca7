#include <gtest/gtest.h>

#include <atomic>
#include <lapse/measure/clock_watch.hpp>
#include <thread>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

class FakeMonitor final : public device::ClockMonitor {
 public:
  double max_mhz() const noexcept override { return 1980; }
  Result<device::ClockReading> read() override {
    const int number = ++asked;
    asked.notify_all();
    if (number >= fail_at) return fail(ErrorCode::DeviceUnusable, "no longer there");
    return device::ClockReading{number * 1ms, 1000.0 + number, 0};
  }
  // Blocks until it was asked so often.
  void wait_for(int times) {
    for (int seen = asked; seen < times; seen = asked) asked.wait(seen);
  }

  std::atomic<int> asked{0};
  int fail_at = 1'000'000;
};

TEST(ClockWatch, ReturnsWhatItReadInOrder) {
  FakeMonitor monitor;
  ClockWatch watch{&monitor};
  monitor.wait_for(3);
  const auto readings = watch.stop();
  ASSERT_GE(readings.size(), 3u);
  EXPECT_EQ(readings.size(), static_cast<std::size_t>(monitor.asked));
  for (std::size_t i = 0; i < readings.size(); ++i) {
    EXPECT_EQ(readings[i].at, (i + 1) * 1ms);
    EXPECT_EQ(readings[i].mhz, 1001.0 + static_cast<double>(i));
  }
}

TEST(ClockWatch, AsksNobodyAfterItWasStopped) {
  FakeMonitor monitor;
  ClockWatch watch{&monitor};
  monitor.wait_for(1);
  (void)watch.stop();
  const int asked = monitor.asked;
  std::this_thread::sleep_for(60ms);  // three times its period
  EXPECT_EQ(monitor.asked, asked);
}

// Against a bound, not another timing: those that sleep their period of 20 ms out take a hundred times as long as these.
TEST(ClockWatch, StopsWithoutWaitingForItsNextReading) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) {
    FakeMonitor monitor;
    ClockWatch watch{&monitor};
    monitor.wait_for(1);
    EXPECT_FALSE(watch.stop().empty());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 200 * 19ms);
}

TEST(ClockWatch, DoesNotAskAMonitorAgainThatFailed) {
  FakeMonitor monitor;
  monitor.fail_at = 2;
  ClockWatch watch{&monitor};
  monitor.wait_for(2);
  std::this_thread::sleep_for(60ms);  // three times its period
  const auto readings = watch.stop();
  EXPECT_EQ(monitor.asked, 2);
  EXPECT_EQ(readings.size(), 1u);  // what could be read is kept
}

TEST(ClockWatch, WatchesNothingWithoutAMonitor) {
  ClockWatch watch{nullptr};
  EXPECT_TRUE(watch.stop().empty());
}

TEST(ClockWatch, CanBeStoppedTwiceOrNotAtAll) {
  FakeMonitor monitor;
  {
    ClockWatch watch{&monitor};
    monitor.wait_for(1);
    EXPECT_FALSE(watch.stop().empty());
    EXPECT_TRUE(watch.stop().empty());
  }
  { const ClockWatch abandoned{&monitor}; }
}

}  // namespace
}  // namespace lapse::measuring
