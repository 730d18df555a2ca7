#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/device/host_timeline.hpp>
#include <lapse/measure/disturbances.hpp>
#include <lapse/measure/run.hpp>
#include <lapse/measure/timing.hpp>

#include "measure/fake_subject.hpp"

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kSteal = 1, kQuota = 2, kPreempted = 4, kClock = 8;

/// Runs of 4 ms, one every 5 ms from 0 on.
std::vector<Sample> every_five_milliseconds(std::size_t count) {
  std::vector<Sample> samples(count);
  for (std::size_t i = 0; i < count; ++i) samples[i] = {i * 5ms, 4ms, 4ms, 4ms, {}, {}};
  return samples;
}

TEST(Reasons, OnePercentOfTheStretchIsNoticeable) {
  const host::Interruptions before{100ms, 7, 20, 50ms};
  EXPECT_EQ(reasons(before, before, 100ms), 0u);
  EXPECT_EQ(reasons(before, {110ms, 7, 20, 50ms}, 1s), kSteal);
  EXPECT_EQ(reasons(before, {110ms, 7, 20, 50ms}, 1001ms), 0u);
  EXPECT_EQ(reasons(before, {100ms, 7, 21, 51ms}, 100ms), kPreempted);
  EXPECT_EQ(reasons(before, {100ms, 7, 21, 51ms}, 101ms), 0u);
  EXPECT_EQ(reasons(before, {100ms, 8, 20, 50ms}, 24h), kQuota);
  EXPECT_EQ(reasons(before, {200ms, 9, 90, 80ms}, 100ms), kSteal | kQuota | kPreempted);
}

TEST(Reasons, NeitherAYieldToNobodyNorAWakeUpIsAPreemption) {
  EXPECT_EQ(reasons({}, {0ms, 0, 1000, 0ms}, 100ms), 0u);
  EXPECT_EQ(reasons({}, {0ms, 0, 0, 20ms}, 100ms), 0u);
}

TEST(Reasons, CountersThatStandStillOrStepBackTellNothing) {
  const host::Interruptions later{100ms, 7, 20, 50ms};
  EXPECT_EQ(reasons(later, later, 0ms), 0u);
  EXPECT_EQ(reasons(later, {90ms, 6, 19, 40ms}, 100ms), 0u);
  EXPECT_EQ(reasons(later, {100ms, 7, 25, 10ms}, 100ms), 0u);  // a thread that had waited has ended
}

TEST(Tag, MarksTheSamplesThatOverlapAStretchAndNoOther) {
  const auto samples = every_five_milliseconds(10);
  EXPECT_THAT(tag(samples, {}), IsEmpty());
  EXPECT_THAT(tag({}, std::vector<Stretch>{{0ms, 1s, kSteal}}), IsEmpty());
  EXPECT_THAT(tag(samples, std::vector<Stretch>{{10ms, 29ms, kSteal}}), ElementsAre(Tag{2, 4, kSteal}));
  EXPECT_THAT(tag(samples, std::vector<Stretch>{{14500us, 14600us, kSteal}}), IsEmpty());  // between two runs
  EXPECT_THAT(tag(samples, std::vector<Stretch>{{13ms, 13ms, kClock}}), ElementsAre(Tag{2, 1, kClock}));
  EXPECT_THAT(tag(samples, std::vector<Stretch>{{-1s, 1s, kQuota}}), ElementsAre(Tag{0, 10, kQuota}));
}

TEST(Tag, ASampleHasTheReasonsOfAllThatItOverlaps) {
  const auto samples = every_five_milliseconds(6);
  const std::vector<Stretch> stretches{{0ms, 14ms, kSteal}, {20ms, 24ms, kQuota}, {10ms, 21ms, kClock}};
  EXPECT_THAT(tag(samples, stretches),
              ElementsAre(Tag{0, 2, kSteal}, Tag{2, 1, kSteal | kClock}, Tag{3, 1, kClock}, Tag{4, 1, kQuota | kClock}));
}

TEST(Tag, AnInferenceThatOthersOvertakeIsMarkedToo) {
  auto samples = every_five_milliseconds(6);
  samples[0].end_to_end = 23ms;  // several in flight: the first ends when four others have come and gone
  EXPECT_THAT(tag(samples, std::vector<Stretch>{{20ms, 22ms, kSteal}}), ElementsAre(Tag{0, 1, kSteal}, Tag{4, 1, kSteal}));
}

TEST(LowClocks, HoldFromTheReadingBeforeToTheOneAfter) {
  const auto readings = [](std::vector<std::pair<double, std::uint32_t>> values) {
    std::vector<device::ClockReading> out;
    for (std::size_t i = 0; i < values.size(); ++i) out.push_back({i * 20ms, values[i].first, values[i].second});
    return out;
  };
  EXPECT_THAT(low_clocks({}), IsEmpty());
  EXPECT_THAT(low_clocks(readings({{1980, 0}, {1900, 0}, {1980, 0}})), IsEmpty());  // 4 %: GPUs do that all the time
  const auto fell = low_clocks(readings({{1980, 0}, {1980, 0}, {1500, 0}, {1980, 0}}));
  ASSERT_EQ(fell.size(), 1u);
  EXPECT_EQ(fell[0].from, 20ms);
  EXPECT_EQ(fell[0].to, 60ms);
  EXPECT_EQ(fell[0].reasons, kClock);
  const auto held = low_clocks(readings({{1980, 1}, {1980, 0}, {1980, 4}}));
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(held[0].from, 0ms);
  EXPECT_EQ(held[0].to, 20ms);
  EXPECT_EQ(held[1].from, 20ms);
  EXPECT_EQ(held[1].to, 40ms);
}

/// Time as a test says it is.
class TimelineOfATest : public device::HostTimeline {
 public:
  device::Instant now() noexcept override { return at; }
  device::Instant at{};
};

TEST(Disturbances, RememberTheStretchesInWhichACounterGrew) {
  TimelineOfATest timeline;
  host::Interruptions counters;
  Disturbances disturbances{timeline, [&] { return counters; }};
  const auto during = [&](device::Instant from, device::Instant to, host::Interruptions then) {
    timeline.at = from;
    const Disturbances::Watch watch(&disturbances);
    timeline.at = to;
    counters = then;
  };
  during(0ms, 100ms, {0ms, 0, 0, 0ms});
  during(110ms, 200ms, {10ms, 0, 0, 0ms});
  counters = {30ms, 5, 100, 60ms};  // between two batches: nobody's
  during(210ms, 300ms, counters);
  during(310ms, 400ms, {30ms, 6, 101, 62ms});
  ASSERT_EQ(disturbances.stretches().size(), 2u);
  EXPECT_EQ(disturbances.stretches()[0].from, 110ms);
  EXPECT_EQ(disturbances.stretches()[0].to, 200ms);
  EXPECT_EQ(disturbances.stretches()[0].reasons, kSteal);
  EXPECT_EQ(disturbances.stretches()[1].from, 310ms);
  EXPECT_EQ(disturbances.stretches()[1].reasons, kQuota | kPreempted);
}

TEST(Disturbances, InVirtualTimeNothingDisturbs) {
  FakeSubject subject{[](std::size_t) { return 1ms; }};
  std::uint64_t asked = 0;
  Disturbances disturbances{subject.timeline(), [&] { return host::Interruptions{++asked * 1s, asked, asked, asked * 1s}; }};
  Hooks hooks;
  hooks.disturbances = &disturbances;
  ASSERT_TRUE(run(subject, {}, hooks));
  EXPECT_EQ(asked, 0u);
  const auto timing = time_subject(subject, {});
  ASSERT_TRUE(timing);
  EXPECT_THAT(timing->tags, IsEmpty());
}

/// Blocks, and takes 2 ms of that time.
class SubjectOfATest final : public Subject {
 public:
  Result<void> submit(std::size_t, std::size_t iteration) override {
    timeline_.at += 2ms;
    if (iteration == disturbed_at) counters.throttled_periods += 1;
    return {};
  }
  bool asynchronous() const noexcept override { return false; }
  std::size_t slots() const noexcept override { return 1; }
  device::Timeline& timeline() noexcept override { return timeline_; }

  host::Interruptions counters;
  std::size_t disturbed_at = 0;

 private:
  TimelineOfATest timeline_;
};

TEST(Disturbances, AreThoseOfTheBatchThatTheRunIsIn) {
  SubjectOfATest subject;
  subject.disturbed_at = 107;
  Disturbances disturbances{subject.timeline(), [&] { return subject.counters; }};
  Hooks hooks;
  hooks.disturbances = &disturbances;
  Plan plan;
  plan.warmup = 7;
  plan.max_runs = plan.min_runs = 300;
  const auto measured = run(subject, plan, hooks);
  ASSERT_TRUE(measured);
  const auto tags = tag(measured->samples, disturbances.stretches());
  ASSERT_EQ(tags.size(), 1u);
  EXPECT_EQ(tags[0].reasons, kQuota);
  EXPECT_LE(tags[0].first, 100u);
  EXPECT_GT(tags[0].first + tags[0].count, 100u);
  EXPECT_LE(tags[0].count, 14u);  // a batch is as many runs as 25 ms hold, and the runs beside it touch it
}

}  // namespace
}  // namespace lapse::measuring
