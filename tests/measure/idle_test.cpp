#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <lapse/measure/idle.hpp>
#include <lapse/measure/timing.hpp>

#include "measure/fake_subject.hpp"

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

/// Takes 1 ms, and 2 ms longer when nothing was asked of it for 5 ms.
class SleepyDevice {
 public:
  FakeSubject subject{[this](std::size_t) { return next(); }, 100us};
  std::vector<Duration> pauses;  // before each inference
  Duration drift{};              // that each inference takes longer than the one before

 private:
  Duration next() {
    const device::Instant now = subject.timeline().now();
    pauses.push_back(now - busy_until_ - 100us);
    const Duration takes = 1ms + (pauses.back() >= 5ms ? 2ms : 0ms) + drift * static_cast<Duration::rep>(pauses.size());
    busy_until_ = now + takes;
    return takes;
  }
  device::Instant busy_until_{};
};

Plan with(std::vector<Duration> gaps, Duration budget = 30s) {
  Plan plan;
  plan.idle = std::move(gaps);
  plan.budget = budget;
  return plan;
}

std::vector<Duration> times(const GapRuns& gap) {
  std::vector<Duration> out;
  for (const Sample& sample : gap.samples) out.push_back(sample.end_to_end);
  return out;
}

TEST(Idle, AnInferenceAfterALongPauseTakesWhatWakingTheDeviceTakes) {
  SleepyDevice device;
  const IdleCurve curve = measure_idle(device.subject, with({0ms, 1ms, 10ms, 100ms}), {}, 0);
  EXPECT_EQ(curve.stop, Stop::Budget);
  ASSERT_EQ(curve.gaps.size(), 4u);
  const std::vector<Duration> gaps{0ms, 1ms, 10ms, 100ms}, expected{1100us, 1100us, 3100us, 3100us};
  for (std::size_t i = 0; i < 4; ++i) {
    const GapRuns& gap = curve.gaps[i];
    EXPECT_EQ(gap.gap, gaps[i]);
    EXPECT_EQ(gap.slept, gaps[i]);
    EXPECT_GE(gap.samples.size(), 36u) << i;  // so many as p90 needs
    EXPECT_THAT(times(gap), testing::Each(expected[i])) << i;
  }
}

TEST(Idle, TheFirstRunsOfABlockFollowAnotherGapAndDoNotCount) {
  SleepyDevice device;
  const IdleCurve curve = measure_idle(device.subject, with({0ms, 100ms}, 5s), {}, 0);
  const auto after_a_pause = std::ranges::count_if(device.pauses, [](Duration pause) { return pause >= 5ms; });
  EXPECT_GT(static_cast<std::size_t>(after_a_pause), curve.gaps[1].samples.size());
  EXPECT_GT(device.pauses.size(), curve.gaps[0].samples.size() + curve.gaps[1].samples.size());
  EXPECT_THAT(times(curve.gaps[0]), testing::Each(1100us));
}

TEST(Idle, WhatIsStillRecoveringFromAnotherGapIsGivenFiftyMilliseconds) {
  device::Instant slept{}, busy_until{};
  FakeSubject* device = nullptr;
  // For 40 ms after a pause its clock is low.
  FakeSubject subject{[&](std::size_t) {
    const device::Instant now = device->timeline().now();
    if (now - busy_until >= 5ms) slept = now;
    const Duration takes = now - slept < 40ms ? 2ms : 1ms;
    busy_until = now + takes;
    return takes;
  }};
  device = &subject;
  const IdleCurve curve = measure_idle(subject, with({0ms, 10ms}, 10s), {}, 0);
  EXPECT_THAT(times(curve.gaps[0]), testing::Each(1ms));
  EXPECT_THAT(times(curve.gaps[1]), testing::Each(2ms));
}

TEST(Idle, GapsTakeTurnsSoThatADriftTouchesAllAlike) {
  SleepyDevice device;
  device.drift = 1us;
  const IdleCurve curve = measure_idle(device.subject, with({0ms, 1ms, 2ms}), {}, 0);
  std::vector<double> means;
  for (const GapRuns& gap : curve.gaps) {
    double sum = 0;
    for (const Duration time : times(gap)) sum += static_cast<double>(time.count());
    means.push_back(sum / static_cast<double>(gap.samples.size()));
  }
  // One gap after the other, the last would look many times as slow as the first.
  ASSERT_GT(curve.gaps[0].samples.back().end_to_end, 5 * curve.gaps[0].samples.front().end_to_end);
  EXPECT_NEAR(means[1] / means[0], 1.0, 0.1);
  EXPECT_NEAR(means[2] / means[0], 1.0, 0.1);
}

TEST(Idle, TheOrderOfTheGapsChangesFromRoundToRound) {
  SleepyDevice device;
  const IdleCurve curve = measure_idle(device.subject, with({0ms, 10ms}), {}, 0);
  std::vector<std::pair<device::Instant, int>> all;
  for (int gap = 0; gap < 2; ++gap) {
    for (const Sample& sample : curve.gaps[static_cast<std::size_t>(gap)].samples) all.emplace_back(sample.start, gap);
  }
  std::ranges::sort(all);
  std::vector<int> blocks;
  for (const auto& [start, gap] : all) {
    if (blocks.empty() || blocks.back() != gap) blocks.push_back(gap);
  }
  // In a fixed order each block would follow the other gap's: as many as there were. Where the order is drawn, every second pair is one.
  const std::size_t rounds = 30s / 310ms;
  EXPECT_GT(blocks.size(), rounds);
  EXPECT_LT(blocks.size(), 2 * rounds - 10);
}

TEST(Idle, TheFirstRoundIsMadeWhateverTheBudgetSays) {
  SleepyDevice device;
  const IdleCurve curve = measure_idle(device.subject, with({1s, 0ms}, 10ms), {}, 0);
  EXPECT_EQ(curve.stop, Stop::Budget);
  EXPECT_EQ(curve.gaps[0].samples.size(), 3u);
  EXPECT_GE(curve.gaps[1].samples.size(), 3u);
}

TEST(Idle, KeepsToItsBudget) {
  SleepyDevice device;
  (void)measure_idle(device.subject, with({0ms, 1s}, 20s), {}, 0);
  EXPECT_LE(device.subject.timeline().now(), 20s + 5ms);
  EXPECT_GE(device.subject.timeline().now(), 18s);
}

TEST(Idle, MakesAsManyRunsOfEachGapAsThePlanAllows) {
  SleepyDevice device;
  Plan plan = with({0ms, 10ms});
  plan.max_runs = 40;
  const IdleCurve curve = measure_idle(device.subject, plan, {}, 0);
  EXPECT_EQ(curve.stop, Stop::MaxRuns);
  EXPECT_EQ(curve.gaps[0].samples.size(), 40u);
  EXPECT_EQ(curve.gaps[1].samples.size(), 40u);
}

TEST(Idle, GoesOnWithTheNumbersOfTheInferences) {
  SleepyDevice device;
  (void)measure_idle(device.subject, with({0ms}, 1s), {}, 1000);
  EXPECT_EQ(device.subject.iterations.front(), 1000u);
  EXPECT_EQ(device.subject.iterations.back(), 1000u + device.subject.iterations.size() - 1);
}

TEST(Idle, BelongsToTheMeasurementWhichItComesBehind) {
  SleepyDevice device;
  const auto timing = time_subject(device.subject, with({0ms, 10ms}));
  ASSERT_TRUE(timing);
  EXPECT_EQ(timing->measurement.stop, Stop::Precision);
  ASSERT_EQ(timing->idle.size(), 2u);
  EXPECT_GT(timing->idle[0].samples.front().start, timing->measurement.samples.back().start);
  EXPECT_THAT(times(timing->idle[1]), testing::Each(3100us));
  EXPECT_TRUE(time_subject(device.subject, {})->idle.empty());
}

TEST(Idle, AnInterruptionKeepsWhatWasMeasuredUntilThen) {
  SleepyDevice device;
  std::atomic<bool> stop{false};
  device.subject.after_submit = [&](std::size_t submits) { stop = submits >= 300; };
  const IdleCurve curve = measure_idle(device.subject, with({0ms, 10ms}), {{}, &stop}, 0);
  EXPECT_EQ(curve.stop, Stop::Interrupted);
  EXPECT_EQ(device.subject.submits, 300u);
  EXPECT_GT(curve.gaps[0].samples.size(), 30u);
}

TEST(Idle, AFailureEndsTheMeasurementAndKeepsItsSamples) {
  SleepyDevice device;
  device.subject.fail_at = 3000;
  const auto timing = time_subject(device.subject, with({0ms, 1ms}));
  ASSERT_TRUE(timing);
  EXPECT_EQ(timing->measurement.stop, Stop::Failed);
  ASSERT_TRUE(timing->measurement.failure);
  EXPECT_EQ(timing->measurement.failure->message, "the device was lost");
  EXPECT_GT(timing->measurement.samples.size(), 100u);
  EXPECT_GT(timing->idle[0].samples.size(), 30u);
}

TEST(Idle, TellsItsProgress) {
  SleepyDevice device;
  std::vector<Progress> told;
  (void)measure_idle(device.subject, with({0ms, 1ms}, 2s), {[&](const Progress& progress) { told.push_back(progress); }}, 0);
  ASSERT_GT(told.size(), 5u);
  EXPECT_FALSE(told.front().warming_up);
  EXPECT_GT(told.back().runs, told.front().runs);
  EXPECT_LE(told.back().spent, 2s);
}

}  // namespace
}  // namespace lapse::measuring
