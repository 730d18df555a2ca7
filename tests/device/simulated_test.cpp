#include <gtest/gtest.h>

#include <array>
#include <lapse/device/host_timeline.hpp>
#include <lapse/device/simulated.hpp>

namespace lapse::device {
namespace {

using namespace std::chrono_literals;

SimStream& stream_of(SimTimeline& timeline) { return *static_cast<SimStream*>(timeline.stream()); }
void nothing(void*) {}
void count(void* counter) { ++*static_cast<int*>(counter); }

TEST(VirtualTime, MovesOnlyWhenSomebodySpendsIt) {
  SimTimeline timeline{SimTimeline::Time::Virtual};
  const Instant begin = timeline.now();
  EXPECT_EQ(timeline.now(), begin);
  stream_of(timeline).host_work(50us);
  EXPECT_EQ(timeline.now() - begin, 50us);
}

TEST(VirtualTime, DeviceTimeIsTheWorkAndEndToEndIsSubmitPlusWork) {
  SimTimeline timeline{SimTimeline::Time::Virtual};
  const Mark before = *timeline.make_mark(), after = *timeline.make_mark();
  ASSERT_TRUE(timeline.record(before));
  const Instant start = timeline.now();
  stream_of(timeline).host_work(50us);
  stream_of(timeline).enqueue(5ms, nothing, nullptr);
  const Instant returned = timeline.now();
  ASSERT_TRUE(timeline.record(after));
  ASSERT_TRUE(timeline.wait(after));
  EXPECT_EQ(returned - start, 50us);
  EXPECT_EQ(*timeline.elapsed(before, after), 5ms);
  EXPECT_EQ(timeline.now() - start, 5050us);
}

TEST(VirtualTime, WorkQueuesBehindEarlierWork) {
  SimTimeline timeline{SimTimeline::Time::Virtual};
  const Mark first = *timeline.make_mark(), second = *timeline.make_mark(), third = *timeline.make_mark();
  ASSERT_TRUE(timeline.record(first));
  stream_of(timeline).enqueue(2ms, nothing, nullptr);
  ASSERT_TRUE(timeline.record(second));
  stream_of(timeline).enqueue(3ms, nothing, nullptr);
  ASSERT_TRUE(timeline.record(third));
  ASSERT_TRUE(timeline.wait(second));
  EXPECT_EQ(timeline.now(), 2ms);
  ASSERT_TRUE(timeline.synchronize());
  EXPECT_EQ(timeline.now(), 5ms);
  EXPECT_EQ(*timeline.elapsed(first, second), 2ms);
  EXPECT_EQ(*timeline.elapsed(second, third), 3ms);
}

TEST(VirtualTime, AMarkThatIsWaitedForOnTheIdleDeviceKeepsItsOwnTime) {
  SimTimeline timeline{SimTimeline::Time::Virtual};
  const Mark lone = *timeline.make_mark(), later = *timeline.make_mark();
  ASSERT_TRUE(timeline.record(lone));
  ASSERT_TRUE(timeline.wait(lone));
  stream_of(timeline).host_work(1ms);
  stream_of(timeline).enqueue(1ms, nothing, nullptr);
  ASSERT_TRUE(timeline.record(later));
  ASSERT_TRUE(timeline.synchronize());
  EXPECT_EQ(*timeline.elapsed(lone, later), 2ms);
}

TEST(VirtualTime, WorkIsDoneWhenItsTimeHasComeAndNotBefore) {
  SimTimeline timeline{SimTimeline::Time::Virtual};
  int done = 0;
  stream_of(timeline).enqueue(1ms, count, &done);
  EXPECT_EQ(done, 0);
  ASSERT_TRUE(timeline.synchronize());
  EXPECT_EQ(done, 1);
}

TEST(VirtualTime, MoreWorkThanTheQueueHoldsWaitsForRoom) {
  SimTimeline timeline{SimTimeline::Time::Virtual};
  int done = 0;
  for (int i = 0; i < 1500; ++i) stream_of(timeline).enqueue(1us, count, &done);
  EXPECT_EQ(done, 1500 - 1024);
  ASSERT_TRUE(timeline.synchronize());
  EXPECT_EQ(done, 1500);
  EXPECT_EQ(timeline.now(), 1500us);
}

TEST(RealTime, TheDeviceThreadCompletesEveryWorkAndTheMarksTellItsKnownTime) {
  SimTimeline timeline{SimTimeline::Time::Real};
  const Mark before = *timeline.make_mark(), after = *timeline.make_mark();
  int done = 0;
  for (int i = 1; i <= 50; ++i) {
    ASSERT_TRUE(timeline.record(before));
    stream_of(timeline).enqueue(200us, count, &done);
    ASSERT_TRUE(timeline.record(after));
    ASSERT_TRUE(timeline.wait(after));
    EXPECT_EQ(done, i);
    // Exactly known unless this thread lost the CPU for longer than the work takes, so that the mark found the device idle again.
    EXPECT_GE(*timeline.elapsed(before, after), 200us);
  }
}

TEST(RealTime, ATimelineCanBeClosedWithWorkInFlight) {
  int done = 0;
  {
    SimTimeline timeline{SimTimeline::Time::Real};
    for (int i = 0; i < 3; ++i) stream_of(timeline).enqueue(1ms, count, &done);
  }
  EXPECT_EQ(done, 3);
}

TEST(HostTimeline, AMarkIsAReadingOfTheClock) {
  HostTimeline timeline;
  const Mark a = *timeline.make_mark(), b = *timeline.make_mark();
  ASSERT_TRUE(timeline.record(a));
  ASSERT_TRUE(timeline.record(b));
  EXPECT_GE(*timeline.elapsed(a, b), 0ns);
  EXPECT_EQ(timeline.stream(), nullptr);
}

TEST(HostTimeline, FlushesItsCacheAgainAndAgainAndHasNoControls) {
  HostTimeline timeline;
  for (int i = 0; i < 3; ++i) {
    const Instant before = timeline.now();
    ASSERT_TRUE(timeline.flush_cache());
    EXPECT_GT(timeline.now(), before);  // it blocks, and reading megabytes takes time
  }
  EXPECT_EQ(timeline.controls(), nullptr);
  EXPECT_EQ(timeline.streams(), 1u);
}

TEST(HostTimeline, HasPassedEveryMark) {
  HostTimeline timeline;
  const std::array marks{*timeline.make_mark(), *timeline.make_mark()};
  ASSERT_TRUE(timeline.record(marks[0], 7));  // whatever the stream: there is none
  EXPECT_TRUE(*timeline.passed(marks[0]));
  EXPECT_EQ(*timeline.wait_any(marks), 0u);
}

TEST(OpenTimeline, RefusesADeviceThatItDoesNotKnow) {
  EXPECT_TRUE(open_timeline("cpu"));
  EXPECT_TRUE(open_timeline("sim:virtual"));
  const auto unknown = open_timeline("abacus");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::DeviceUnusable);
}

}  // namespace
}  // namespace lapse::device
