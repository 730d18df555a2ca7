#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <lapse/host/affinity.hpp>
#include <lapse/host/interruptions.hpp>
#include <thread>

namespace lapse::host {
namespace {

// Two threads that never wait, on one CPU: the kernel takes it from each of them again and again.
TEST(InterruptionCounters, CountWhenTheCpuIsTakenFromAThread) {
  const InterruptionCounters counters;
  const Interruptions before = counters.read();
  Interruptions after = before;
  std::atomic<bool> enough{false};
  const auto compete = [&] {
    ASSERT_TRUE(pin({allowed_cpus().front()}));
    while (!enough.load(std::memory_order_relaxed)) {
    }
  };
  std::thread one(compete), other(compete);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (after.involuntary_switches < before.involuntary_switches + 3 && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    after = counters.read();
  }
  enough = true;
  one.join();
  other.join();
  EXPECT_GE(after.involuntary_switches, before.involuntary_switches + 3);
  EXPECT_GT(after.waited, before.waited);
  EXPECT_GE(after.stolen, before.stolen);
  EXPECT_GE(after.throttled_periods, before.throttled_periods);
}

}  // namespace
}  // namespace lapse::host
