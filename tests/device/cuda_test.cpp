// The CUDA timeline on a real GPU. Without one every case skips itself, saying why; with LAPSE_TEST_GPU=1 that is a failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <lapse/device/controls.hpp>
#include <lapse/device/timeline.hpp>

#include "device/faulty_kernel.hpp"

namespace lapse::device {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Keeps the stream busy until everything behind it is submitted: else the time that a submission takes would be seen as the device's.
constexpr Duration kGate = 500us;

class CudaDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_timeline("cuda", 2);
    if (opened) {
      timeline_ = std::move(*opened);
      controls_ = timeline_->controls();
      return;
    }
    const char* required = std::getenv("LAPSE_TEST_GPU");
    if (required != nullptr && std::string_view(required) == "1") FAIL() << opened.error().message << ": " << opened.error().hint;
    GTEST_SKIP() << opened.error().message;
  }

  Mark mark() { return *timeline_->make_mark(); }
  cudaStream_t stream() { return static_cast<cudaStream_t>(timeline_->stream()); }

  std::unique_ptr<Timeline> timeline_;
  Controls* controls_ = nullptr;
};

TEST_F(CudaDevice, TellsWhatItIs) {
  const DeviceInfo info = controls_->info();
  EXPECT_NE(info.name, "");
  EXPECT_NE(info.driver, "");
  EXPECT_GT(info.memory_bytes, 0u);
  EXPECT_GT(info.timer_step, 0ns);
  EXPECT_LE(info.timer_step, 2us);
  std::printf("%s, driver %s, runtime %s, step of the timer %ld ns\n", info.name.c_str(), info.driver.c_str(), info.runtime.c_str(),
              static_cast<long>(info.timer_step.count()));
}

TEST_F(CudaDevice, DeviceTimeOfWorkIsWhatTheDevicesOwnTimerSaw) {
  const Mark before = mark(), after = mark();
  for (const Duration duration : {5us, 50us, 500us, 5000us, 50'000us}) {
    Duration closest = Duration::max(), spun{};
    for (int round = 0; round < 5; ++round) {
      ASSERT_TRUE(controls_->spin(kGate));
      ASSERT_TRUE(timeline_->record(before));
      ASSERT_TRUE(controls_->spin(duration));
      ASSERT_TRUE(timeline_->record(after));
      ASSERT_TRUE(timeline_->wait(after));
      spun = *controls_->spun();
      closest = std::min(closest, Duration(std::abs((*timeline_->elapsed(before, after) - spun).count())));
    }
    std::printf("spin of %s: %s by the timer, the events differ by %s\n", format(duration).c_str(), format(spun).c_str(),
                format(closest).c_str());
    EXPECT_GE(spun, duration);
    EXPECT_LE(closest, std::max<Duration>(2us, duration / 100)) << format(duration);
  }
}

TEST_F(CudaDevice, WaitReturnsWhenTheWorkIsDoneAndNotBefore) {
  const Mark done = mark();
  const Instant begin = timeline_->now();
  ASSERT_TRUE(controls_->spin(20ms));
  ASSERT_TRUE(timeline_->record(done));
  EXPECT_FALSE(*timeline_->passed(done));
  ASSERT_TRUE(timeline_->wait(done));
  EXPECT_TRUE(*timeline_->passed(done));
  EXPECT_GE(timeline_->now() - begin, 20ms);
}

TEST_F(CudaDevice, TwoStreamsWorkAtOnce) {
  const Mark begin = mark(), first = mark(), second = mark();
  ASSERT_TRUE(timeline_->record(begin, 0));
  ASSERT_TRUE(controls_->spin(50ms, 0));
  ASSERT_TRUE(controls_->spin(50ms, 1));
  ASSERT_TRUE(timeline_->record(first, 0));
  ASSERT_TRUE(timeline_->record(second, 1));
  ASSERT_TRUE(timeline_->synchronize());
  EXPECT_LT(*timeline_->elapsed(begin, first), 75ms);
  EXPECT_LT(*timeline_->elapsed(begin, second), 75ms);
}

TEST_F(CudaDevice, WorkOnSomebodyElsesStreamIsSeenByTheWholeDeviceAlone) {
  const auto other = std::move(*open_timeline("cuda"));
  const Mark done = *other->make_mark();
  ASSERT_TRUE(other->controls()->spin(kLongestSpin));
  ASSERT_TRUE(other->record(done));
  ASSERT_TRUE(timeline_->synchronize());
  EXPECT_FALSE(*other->passed(done));
  ASSERT_TRUE(controls_->synchronize_device());
  EXPECT_TRUE(*other->passed(done));
}

TEST_F(CudaDevice, ACapturedGraphDoesTheSameAgain) {
  ASSERT_TRUE(controls_->begin_capture());
  for (int part = 0; part < 3; ++part) ASSERT_TRUE(controls_->spin(2ms));
  const auto graph = controls_->end_capture();
  ASSERT_TRUE(graph) << graph.error().message;
  const Mark before = mark(), after = mark();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(timeline_->record(before));
    ASSERT_TRUE(controls_->launch(*graph));
    ASSERT_TRUE(timeline_->record(after));
    ASSERT_TRUE(timeline_->wait(after));
    EXPECT_GE(*timeline_->elapsed(before, after), 6ms);
    EXPECT_LT(*timeline_->elapsed(before, after), 12ms);
  }
}

TEST_F(CudaDevice, WhatSynchronisesCantBeCapturedAndTheStreamGoesOn) {
  ASSERT_TRUE(controls_->begin_capture());
  EXPECT_NE(cudaStreamSynchronize(stream()), cudaSuccess);
  const auto graph = controls_->end_capture();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::Unsupported) << graph.error().message;
  EXPECT_TRUE(controls_->empty_work());
  EXPECT_TRUE(timeline_->synchronize());
}

TEST_F(CudaDevice, MemoryThatSomebodyTakesIsUsed) {
  constexpr std::size_t kTaken = 256 << 20;
  const std::uint64_t before = *controls_->memory_used();
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, kTaken), cudaSuccess);
  EXPECT_GE(*controls_->memory_used(), before + kTaken / 2);  // others may release some meanwhile
  cudaFree(memory);
  EXPECT_LE(*controls_->memory_used(), controls_->info().memory_bytes);
}

TEST_F(CudaDevice, FlushingTheCacheIsWorkOnTheStream) {
  const Mark before = mark(), after = mark();
  ASSERT_TRUE(controls_->spin(kGate));
  ASSERT_TRUE(timeline_->record(before));
  ASSERT_TRUE(timeline_->flush_cache());
  ASSERT_TRUE(timeline_->record(after));
  EXPECT_FALSE(*timeline_->passed(after));
  ASSERT_TRUE(timeline_->wait(after));
  EXPECT_GT(*timeline_->elapsed(before, after), 0ns);
}

TEST_F(CudaDevice, WorkBeyondTheTimeOutIsAnError) {
  controls_->set_timeout(5ms);
  ASSERT_TRUE(controls_->spin(50ms));
  const auto waited = timeline_->synchronize();
  ASSERT_FALSE(waited);
  EXPECT_THAT(waited.error().message, HasSubstr("has not finished its work for 5.000 ms"));
}

TEST_F(CudaDevice, ADeviceThatIsNotThereIsNamedWithThoseThatAre) {
  const auto opened = open_timeline("cuda:99");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::DeviceUnusable);
  EXPECT_THAT(opened.error().message, HasSubstr("there is no cuda:99"));
  EXPECT_THAT(opened.error().hint, HasSubstr(controls_->info().name));
}

TEST_F(CudaDevice, ItsClockIsRead) {
  ClockMonitor* clocks = controls_->clocks();
  if (clocks == nullptr) GTEST_SKIP() << "NVML is not here, or does not know the device";
  ASSERT_TRUE(controls_->spin(100ms));
  const auto reading = clocks->read();
  ASSERT_TRUE(timeline_->synchronize());
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_GT(reading->mhz, 0.0);
  EXPECT_LE(reading->mhz, clocks->max_mhz());
}

TEST_F(CudaDevice, TheWitnessSeesTheSameWork) {
  Witness* witness = controls_->witness();
  if (witness == nullptr) GTEST_SKIP() << "CUPTI is not here";
  ASSERT_TRUE(witness->start());
  ASSERT_TRUE(controls_->spin(1ms));
  ASSERT_TRUE(controls_->spin(3ms));
  const auto durations = witness->stop();
  ASSERT_TRUE(durations) << durations.error().message;
  ASSERT_EQ(durations->size(), 2u);
  EXPECT_GE((*durations)[0], 1ms);
  EXPECT_LT((*durations)[0], 1100us);
  EXPECT_GE((*durations)[1], *controls_->spun());
  EXPECT_LT((*durations)[1], *controls_->spun() + 100us);
}

// In a process of its own, started anew, as CUDA survives no fork and the fault takes the device from it for good.
using CudaDeviceDeathTest = CudaDevice;

[[noreturn]] void meet_a_fault() {
  auto timeline = std::move(*open_timeline("cuda"));
  const Mark done = *timeline->make_mark();
  launch_illegal_write(static_cast<cudaStream_t>(timeline->stream()));
  auto waited = timeline->record(done);
  if (waited) waited = timeline->wait(done);
  std::fprintf(stderr, "%s\n", waited ? "no error" : waited.error().message.c_str());
  const bool again = timeline->synchronize().has_value();
  timeline.reset();
  std::exit(!waited && waited.error().code == ErrorCode::DeviceUnusable && !again ? 0 : 1);
}

TEST_F(CudaDeviceDeathTest, AFaultInAKernelLosesTheDeviceAndIsSaid) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(meet_a_fault(), ::testing::ExitedWithCode(0), "a kernel failed.*illegal.*lost to this process");
}

}  // namespace
}  // namespace lapse::device
