#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <lapse/device/host_timeline.hpp>
#include <lapse/measure/run.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "measure/fake_subject.hpp"

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

FakeSubject::DurationOf always(Duration duration) {
  return [duration](std::size_t) { return duration; };
}

TEST(Run, OnAnAsynchronousDeviceSubmitIsNotTheInference) {
  FakeSubject subject{always(5ms), 50us};
  const auto measured = run(subject, {});
  ASSERT_TRUE(measured);
  for (const Sample& sample : measured->samples) {
    EXPECT_EQ(sample.submit, 50us);
    EXPECT_EQ(sample.device, 5ms);
    EXPECT_EQ(sample.end_to_end, 5050us);
  }
}

TEST(Run, OnABlockingSubjectTheThreeAreOneReading) {
  FakeSubject subject{always(5ms), 50us, false};
  const auto measured = run(subject, {});
  ASSERT_TRUE(measured);
  for (const Sample& sample : measured->samples) {
    EXPECT_EQ(sample.submit, 5050us);
    EXPECT_EQ(sample.device, 5050us);
    EXPECT_EQ(sample.end_to_end, 5050us);
  }
}

TEST(Run, StopsForPrecisionOnlyAfterHalfASecondAndThirtySixRunsAndTwoLooks) {
  FakeSubject quick{always(1ms)};
  const auto many = run(quick, {});
  ASSERT_TRUE(many);
  EXPECT_EQ(many->stop, Stop::Precision);
  EXPECT_GE(many->samples.size(), 500u);
  EXPECT_LE(many->samples.size(), 500u * 1.25 * 1.25 + 100);

  FakeSubject slow{always(100ms)};
  const auto few = run(slow, {});
  ASSERT_TRUE(few);
  EXPECT_EQ(few->stop, Stop::Precision);
  EXPECT_GE(few->samples.size(), 45u);  // a second look, a quarter later
  EXPECT_LE(few->samples.size(), 36u * 1.25 * 1.25 + 2);
}

TEST(Run, StopsForPrecisionOnlyWithTheRunsThatAPercentileNeeds) {
  FakeSubject subject{always(10ms)};
  Plan plan;
  plan.percentile = 0.99;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->stop, Stop::Precision);
  EXPECT_GE(measured->samples.size(), 368u);
  EXPECT_LE(measured->samples.size(), 368u * 1.25 * 1.25 + 20);

  FakeSubject slow{always(1s)};
  const auto cut = run(slow, plan);  // the budget has the last word
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->stop, Stop::Budget);
  EXPECT_LE(cut->samples.size(), 30u);
}

TEST(Run, GoesOnWhileTheIntervalIsTooWideAndStopsWithTheBudget) {
  // Two equally frequent values far apart: the median's interval spans both for ever.
  FakeSubject subject{[](std::size_t i) { return i % 2 == 0 ? 1ms : 3ms; }};
  Plan plan;
  plan.budget = 4s;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->stop, Stop::Budget);
  EXPECT_LE(subject.timeline().now(), 4s + 3ms);
  EXPECT_GE(subject.timeline().now(), 4s);
}

TEST(Run, DoesTheMinimumOfRunsWhateverTheBudgetSays) {
  FakeSubject subject{always(1s)};
  Plan plan;
  plan.budget = 2s;
  plan.min_runs = 10;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->samples.size(), 10u);
  EXPECT_EQ(measured->stop, Stop::Budget);
}

TEST(Run, MeasuresOnceEvenWithoutAnyBudget) {
  FakeSubject subject{always(1s)};
  Plan plan;
  plan.budget = 0s;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->samples.size(), 1u);
}

TEST(Run, StopsAtTheMaximumOfRuns) {
  FakeSubject subject{always(1us)};
  Plan plan;
  plan.max_runs = 77;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->samples.size(), 77u);
  EXPECT_EQ(measured->stop, Stop::MaxRuns);
}

TEST(Run, DiscardsTheRunsInWhichTheModelStillGetsFaster) {
  // 10 ms falling to 1 ms over the first 60 inferences.
  FakeSubject subject{[](std::size_t i) { return Duration{i < 60 ? 10ms - i * 150us : 1ms}; }};
  const auto measured = run(subject, {});
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->course.verdict, stats::Course::Flat);
  EXPECT_FALSE(measured->warmup.asked);
  EXPECT_GE(measured->warmup.discarded, 60u);
  // 10 ms … 1.15 ms instead of 1 ms, 60 times; what was discarded besides took no longer than the rest.
  EXPECT_EQ(measured->warmup.cost, 60 * 9ms - 150us * (59 * 60 / 2));
  ASSERT_EQ(measured->warmup.samples.size(), measured->warmup.discarded);
  EXPECT_EQ(measured->warmup.samples.front().end_to_end, 10ms);
  EXPECT_EQ(measured->warmup.samples[20].end_to_end, 7ms);
  for (const Sample& sample : measured->samples) ASSERT_EQ(sample.end_to_end, 1ms);
}

// 3 % slower for the first 300 runs: no window is 3 % below the one before, so that only the course of the runs tells.
Duration barely_cold(std::size_t iteration) {
  return iteration < 300 ? Duration{10ms + 350us} : Duration{10ms + (iteration * 7919 % 100) * 1us};
}

TEST(Run, MovesTheWarmUpAmongTheTimedRunsToTheDiscarded) {
  FakeSubject subject{barely_cold};
  Plan plan;
  plan.percentile = 0.99;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_NEAR(static_cast<double>(measured->warmup.discarded), 300.0, 2.0);
  EXPECT_EQ(measured->warmup.samples.size(), measured->warmup.discarded);
  EXPECT_GE(measured->samples.size(), 368u);  // of the steady part alone
  EXPECT_EQ(measured->stop, Stop::Precision);
  EXPECT_EQ(measured->course.verdict, stats::Course::Flat);
  EXPECT_EQ(measured->verdict(), stats::Course::WarmUp);
  ASSERT_EQ(measured->warmup.levels.size(), 1u);
  EXPECT_EQ(measured->warmup.levels[0].median, 10.35e6);
  std::size_t cold = 0;
  for (const Sample& sample : measured->samples) cold += sample.end_to_end == 10'350us;
  EXPECT_LE(cold, 2u);
  EXPECT_EQ(measured->warmup.samples.front().start, Duration{0});
}

TEST(Run, LeavesTheTimedRunsAloneWhereSoManyWereToBeDiscarded) {
  FakeSubject subject{barely_cold};
  Plan plan;
  plan.warmup = 10;
  plan.min_runs = plan.max_runs = 800;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_TRUE(measured->warmup.asked);
  EXPECT_EQ(measured->warmup.discarded, 10u);
  EXPECT_EQ(measured->samples.size(), 800u);
  EXPECT_EQ(measured->course.verdict, stats::Course::WarmUp);
  EXPECT_NEAR(static_cast<double>(measured->course.steady_from), 290.0, 2.0);
}

TEST(Run, SaysThatAModelSlowedDown) {
  FakeSubject subject{[](std::size_t i) { return Duration{i < 500 ? 10ms : 12ms}; }};
  Plan plan;
  plan.min_runs = plan.max_runs = 1000;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->course.verdict, stats::Course::Slowdown);
  EXPECT_EQ(measured->samples.size(), 1000u);  // nothing is dropped
}

TEST(Run, SaysThatAModelNeverSettled) {
  // A third less every 200 runs: each look by itself would find a short steady end.
  FakeSubject subject{[](std::size_t i) { return Duration{std::llround(1e8 * std::pow(0.998, static_cast<double>(i)))}; }};
  Plan plan;
  plan.budget = 20s;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->course.verdict, stats::Course::NoSteadyState);
  EXPECT_EQ(measured->stop, Stop::Budget);
  EXPECT_GT(measured->warmup.discarded, 0u);
}

TEST(Run, WhatIsLeftBesideMovedLevelsIsALevelHoweverShort) {
  Measurement measurement;
  measurement.warmup.levels = {{0, 134, 12e6}};
  measurement.samples.resize(24, Sample{.end_to_end = 6ms});
  EXPECT_FALSE(examine_course(measurement));
  EXPECT_EQ(measurement.course.verdict, stats::Course::NoSteadyState);
  ASSERT_EQ(measurement.course.segments.size(), 1u);
  EXPECT_EQ(measurement.course.segments[0].median, 6e6);
}

TEST(Run, TimeOfMovedRunsLeavesWithThemAndPausesBetweenBatchesAreNone) {
  Measurement measurement;
  for (int i = 0; i < 400; ++i) {  // two in flight, and a second's pause after the first hundred
    measurement.samples.push_back(Sample{.start = device::Instant{i * 5ms + (i < 100 ? 0s : 1s)}, .end_to_end = i < 100 ? 20ms : 10ms});
  }
  measurement.timed = 100 * 10ms + 300 * 5ms;
  measurement.warmup.discarded = 20'000;  // of which but some are kept as samples
  measurement.warmup.took = 20'000 * 15ms;
  EXPECT_FALSE(examine_course(measurement));
  EXPECT_EQ(measurement.samples.size(), 300u);
  EXPECT_EQ(measurement.timed, 300 * 5ms);
  EXPECT_EQ(measurement.warmup.discarded, 20'100u);
  EXPECT_EQ(measurement.warmup.cost, 20'000 * 5ms + 100 * 10ms);
}

TEST(Run, MakesAsManyRunsAsWereAskedForBesideTheWarmUp) {
  FakeSubject subject{[](std::size_t i) { return Duration{i < 100 ? 20ms : 10ms}; }};
  Plan plan;
  plan.min_runs = plan.max_runs = 125;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_GE(measured->samples.size(), 125u);
  EXPECT_EQ(measured->stop, Stop::MaxRuns);
  EXPECT_EQ(measured->course.verdict, stats::Course::Flat);
}

TEST(Run, OfWorkThatTakesNoTimeEndsAllTheSame) {
  FakeSubject subject{[](std::size_t) { return 0ns; }};
  Plan plan;
  plan.max_runs = 1000;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->stop, Stop::MaxRuns);
}

TEST(Run, SaysThatThereWereTooFewRunsToTellWhetherTheyWereSteady) {
  FakeSubject subject{always(1s)};
  Plan plan;
  plan.budget = 10s;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->course.verdict, stats::Course::TooShort);
}

TEST(Run, DiscardsExactlyAsManyRunsAsAskedFor) {
  FakeSubject subject{always(1ms)};
  Plan plan;
  plan.warmup = 7;
  plan.max_runs = 3;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->warmup.discarded, 7u);
  EXPECT_TRUE(measured->warmup.asked);
  EXPECT_EQ(subject.submits, 10u);
}

TEST(Run, KeepsTheFirstOfALongWarmup) {
  FakeSubject subject{[](std::size_t i) { return Duration{i < kWarmupSamples ? 2us : 1us}; }};
  Plan plan;
  plan.warmup = kWarmupSamples + 5;
  plan.max_runs = 1;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->warmup.discarded, kWarmupSamples + 5);
  ASSERT_EQ(measured->warmup.samples.size(), kWarmupSamples);
  EXPECT_EQ(measured->warmup.samples.back().end_to_end, 2us);
}

TEST(Run, KeepsWhatThereIsWhenItIsInterrupted) {
  std::atomic<bool> stop{false};
  FakeSubject subject{always(1ms)};
  subject.after_submit = [&](std::size_t submits) { stop = submits >= 200; };
  Plan plan;
  plan.warmup = 5;
  const auto measured = run(subject, plan, {{}, &stop});
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->stop, Stop::Interrupted);
  EXPECT_EQ(measured->samples.size(), 195u);
}

TEST(Run, EndsWithAnErrorBeforeTheFirstTimedBatchIsComplete) {
  for (const std::size_t at : {0, 3, 5, 7, 9}) {  // in the warm-up, or in the first batch of 5
    FakeSubject subject{always(1ms)};
    subject.fail_at = at;
    Plan plan;
    plan.warmup = 5;
    const auto measured = run(subject, plan);
    ASSERT_FALSE(measured) << at;
    EXPECT_EQ(measured.error().code, ErrorCode::DeviceUnusable);
  }
}

TEST(Run, KeepsTheSamplesOfBeforeAnErrorAndSaysWhatEndedIt) {
  FakeSubject subject{always(1ms), 100us};
  subject.fail_at = 100;
  Plan plan;
  plan.warmup = 5;
  plan.precision = -1;  // never
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured) << measured.error().message;
  EXPECT_EQ(measured->stop, Stop::Failed);
  ASSERT_TRUE(measured->failure);
  EXPECT_EQ(measured->failure->code, ErrorCode::DeviceUnusable);
  EXPECT_EQ(measured->failure->message, "the device was lost");
  EXPECT_GE(measured->samples.size(), 5u);
  EXPECT_LT(measured->samples.size(), 95u);  // those of whole batches
  for (const Sample& sample : measured->samples) EXPECT_EQ(sample.end_to_end, 1100us);
  EXPECT_EQ(measured->timed, measured->samples.size() * 1100us);  // or the throughput would be too low
}

TEST(Run, HasNoFailureWhenNothingFailed) {
  FakeSubject subject{always(1ms)};
  const auto measured = run(subject, {});
  ASSERT_TRUE(measured);
  EXPECT_FALSE(measured->failure);
}

TEST(Run, TellsItsProgressWithTheMedianSoFar) {
  FakeSubject subject{always(1ms)};
  std::vector<Progress> told;
  ASSERT_TRUE(run(subject, {}, {[&](const Progress& progress) { told.push_back(progress); }, nullptr}));
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(told.front().warming_up);
  EXPECT_FALSE(told.back().warming_up);
  EXPECT_EQ(told.back().median_ns, 1e6);
}

TEST(Offline, KeepsSeveralInFlightOnOneDeviceSoThatSubmittingHidesBehindTheWork) {
  Plan plan;
  plan.scenario = Scenario::Offline;
  plan.in_flight = 4;
  plan.max_runs = 400;
  plan.warmup = 0;
  FakeSubject subject{always(1ms), 500us};
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->samples.size(), 400u);
  for (const Sample& sample : measured->samples) EXPECT_EQ(sample.device, 1ms);
  // 400 × 1 ms of device time, plus one submit at the start of each batch that nothing hides.
  EXPECT_LT(measured->timed, 410ms);
  EXPECT_GE(measured->timed, 400ms);
}

TEST(Offline, SamplesAreInTheOrderOfTheirSubmissionWhateverFinishesFirst) {
  Plan plan;
  plan.scenario = Scenario::Offline;
  plan.in_flight = 3;
  plan.max_runs = 300;
  plan.warmup = 0;
  FakeSubject subject{[](std::size_t i) { return Duration{1ms + (i * 7 % 5) * 1ms}; }, 10us, true, 3};
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  ASSERT_EQ(measured->samples.size(), 300u);
  for (std::size_t i = 0; i < 300; ++i) {
    ASSERT_EQ(measured->samples[i].device, 1ms + (i * 7 % 5) * 1ms) << i;
    if (i > 0) {
      ASSERT_GT(measured->samples[i].start, measured->samples[i - 1].start);
    }
  }
}

class ParallelSubject final : public Subject {
 public:
  Result<void> submit(std::size_t slot, std::size_t iteration) override {
    if (iteration >= fail_at) return fail(ErrorCode::Internal, "no more");
    std::unique_lock lock(mutex_);
    slots_used.insert(slot);
    iterations.insert(iteration);
    threads.insert(std::this_thread::get_id());
    // The first ones wait for all three: on a busy machine one thread could do all the work before the others wake up.
    all_here_.notify_all();
    all_here_.wait_for(lock, std::chrono::seconds(20), [&] { return threads.size() == 3; });
    return {};
  }
  bool asynchronous() const noexcept override { return false; }
  std::size_t slots() const noexcept override { return 3; }
  device::Timeline& timeline() noexcept override { return timeline_; }

  std::set<std::size_t> slots_used;
  std::multiset<std::size_t> iterations;
  std::set<std::thread::id> threads;
  std::size_t fail_at = SIZE_MAX;

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  device::HostTimeline timeline_;
};

TEST(Offline, RunsABlockingSubjectOnAThreadForEachInFlightAndEveryInferenceOnce) {
  Plan plan;
  plan.scenario = Scenario::Offline;
  plan.in_flight = 3;
  plan.max_runs = 20'000;
  plan.warmup = 0;
  ParallelSubject subject;
  const auto measured = run(subject, plan);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->samples.size(), 20'000u);
  EXPECT_EQ(subject.iterations.size(), 20'000u);
  EXPECT_EQ(subject.iterations.count(19'999), 1u);
  EXPECT_EQ(subject.slots_used, (std::set<std::size_t>{0, 1, 2}));
  EXPECT_EQ(subject.threads.size(), 3u);
}

TEST(Offline, EndsWithTheErrorOfAnyThread) {
  Plan plan;
  plan.scenario = Scenario::Offline;
  plan.in_flight = 3;
  ParallelSubject subject;
  subject.fail_at = 50;
  const auto measured = run(subject, plan);
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().message, "no more");
}

}  // namespace
}  // namespace lapse::measuring
