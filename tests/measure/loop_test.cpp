// The timed loops on a device with streams and stages, in exact virtual time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/measure/flight.hpp>
#include <lapse/measure/loop.hpp>
#include <numeric>

#include "measure/fake_subject.hpp"

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr Limits kNoLimits{device::Instant::max(), nullptr};

FakeSubject::DurationOf always(Duration duration) {
  return [duration](std::size_t) { return duration; };
}
FakeSubject::DurationOf each(std::vector<Duration> durations) {
  return [durations](std::size_t iteration) { return durations[iteration]; };
}

// `count` runs; those that were done.
Result<std::vector<Sample>> loop_over(Subject& subject, const Plan& plan, std::size_t count, const Limits& limits = kNoLimits) {
  LAPSE_TRY(const auto loop, make_loop(subject, plan));
  std::vector<Sample> samples(count);
  LAPSE_TRY(const std::size_t done, loop->run(samples, 0, limits));
  samples.resize(done);
  return samples;
}

Plan in_flight(std::size_t count) {
  Plan plan;
  plan.scenario = Scenario::Offline;
  plan.in_flight = count;
  return plan;
}

std::vector<Duration> parts(const std::vector<Sample>& samples, Duration Sample::*part) {
  std::vector<Duration> out;
  for (const Sample& sample : samples) out.push_back(sample.*part);
  return out;
}

TEST(Flight, TellsEveryStageOfAStagedInferenceExactly) {
  FakeSubject subject{always(5ms), 50us};
  subject.h2d = 300us;
  subject.d2h = 200us;
  const auto samples = loop_over(subject, {}, 3);
  ASSERT_TRUE(samples);
  for (const Sample& sample : *samples) {
    EXPECT_EQ(sample.submit, 50us);
    EXPECT_EQ(sample.h2d, 300us);
    EXPECT_EQ(sample.device, 5ms);  // the forward pass alone
    EXPECT_EQ(sample.d2h, 200us);
    EXPECT_EQ(sample.end_to_end, 5500us);  // the submit hides behind the copy
  }
  EXPECT_EQ((*samples)[1].start, 5500us);
}

TEST(Flight, ASlowSubmitBehindAShortCopyShowsInTheForwardPassAsOnADevice) {
  FakeSubject subject{always(5ms), 500us};
  subject.h2d = 100us;
  const auto samples = loop_over(subject, {}, 1);
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->front().device, 5400us);
  EXPECT_EQ(samples->front().end_to_end, 5500us);
}

TEST(Flight, HasNoStagesWhereTheSubjectHasNone) {
  FakeSubject subject{always(5ms), 50us};
  const auto samples = loop_over(subject, {}, 1);
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->front().h2d, 0ns);
  EXPECT_EQ(samples->front().d2h, 0ns);
  EXPECT_EQ(samples->front().device, 5ms);
}

TEST(Flight, CanBeLaunchedAgainOnceItHasLanded) {
  FakeSubject subject{always(1ms), 100us, true, 2};
  auto flight = Flight::make(subject, 1);  // on the second stream
  ASSERT_TRUE(flight);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(flight->launch(7));
    const auto sample = flight->land();
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->start, i * 1100us);
    EXPECT_EQ(sample->device, 1ms);
    EXPECT_EQ(sample->end_to_end, 1100us);
  }
  EXPECT_EQ(subject.last_slot, 1u);
}

TEST(Flight, LeavesNothingOnTheDeviceWhenItsLaunchFails) {
  FakeSubject subject{always(1ms)};
  subject.h2d = 300us;
  subject.fail_at = 0;
  auto flight = Flight::make(subject, 0);
  ASSERT_TRUE(flight);
  const auto launched = flight->launch(0);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, ErrorCode::DeviceUnusable);
  EXPECT_EQ(subject.completed, 1u);  // the copy, which writes to memory of the subject
}

TEST(Loop, FlushesTheCacheBeforeEveryColdRunAndWaitsUntilItIsFlushed) {
  for (const bool asynchronous : {true, false}) {
    FakeSubject warm{always(1ms), 0us, asynchronous}, cold{always(1ms), 0us, asynchronous};
    int seen_cold = 0;
    cold.after_submit = [&](std::size_t) { seen_cold += cold.stream_in(0).take_cold() ? 1 : 0; };
    Plan plan;
    const auto without = loop_over(warm, plan, 4);
    plan.cold_cache = true;
    const auto with = loop_over(cold, plan, 4);
    ASSERT_TRUE(without && with);
    EXPECT_EQ(seen_cold, 4);
    EXPECT_EQ(without->back().start, 3ms);
    const Duration flush = with->front().start;
    EXPECT_GT(flush, 0ns);
    EXPECT_EQ(with->back().start, 3ms + 4 * flush);
    for (const Sample& sample : *with) {
      EXPECT_EQ(sample.device, 1ms);
      EXPECT_EQ(sample.end_to_end, 1ms);  // the flush is no part of it
    }
  }
}

TEST(Loop, LeavesTheCacheAloneUnlessAskedTo) {
  FakeSubject subject{always(1ms)};
  ASSERT_TRUE(loop_over(subject, {}, 4));
  EXPECT_FALSE(subject.stream_in(0).take_cold());
}

TEST(ManyFlights, OnOneStreamEachWaitsForThoseBeforeIt) {
  FakeSubject subject{always(1ms)};
  const auto samples = loop_over(subject, in_flight(3), 5);
  ASSERT_TRUE(samples);
  EXPECT_THAT(parts(*samples, &Sample::start), ElementsAre(0ms, 0ms, 0ms, 1ms, 2ms));
  EXPECT_THAT(parts(*samples, &Sample::end_to_end), ElementsAre(1ms, 2ms, 3ms, 3ms, 3ms));
  EXPECT_THAT(parts(*samples, &Sample::device), ElementsAre(1ms, 1ms, 1ms, 1ms, 1ms));
}

TEST(ManyFlights, OnSeveralStreamsLaterOnesMayFinishFirstAndKeepTheirOwnTimes) {
  FakeSubject subject{each({10ms, 1ms, 2ms, 3ms, 7ms, 1ms}), 0us, true, 2};
  const auto samples = loop_over(subject, in_flight(2), 6);
  ASSERT_TRUE(samples);
  // Stream 0 works on 0 until 10 ms; stream 1 on 1, 2 and 3 until 6 ms, then on 4 until 13 ms; 5 finds stream 0 free at 10 ms.
  EXPECT_THAT(parts(*samples, &Sample::start), ElementsAre(0ms, 0ms, 1ms, 3ms, 6ms, 10ms));
  EXPECT_THAT(parts(*samples, &Sample::end_to_end), ElementsAre(10ms, 1ms, 2ms, 3ms, 7ms, 1ms));
  EXPECT_THAT(parts(*samples, &Sample::device), ElementsAre(10ms, 1ms, 2ms, 3ms, 7ms, 1ms));
  EXPECT_THAT(subject.iterations, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(ManyFlights, MoreSlotsThanStreamsQueueOnThemInTurn) {
  FakeSubject subject{always(2ms), 0us, true, 2};
  const auto samples = loop_over(subject, in_flight(4), 4);
  ASSERT_TRUE(samples);
  EXPECT_THAT(parts(*samples, &Sample::end_to_end), ElementsAre(2ms, 2ms, 4ms, 4ms));
  EXPECT_EQ(subject.timeline().now(), 4ms);
}

TEST(ManyFlights, KeepTheStagesOfEachApart) {
  FakeSubject subject{each({4ms, 1ms, 1ms}), 0us, true, 2};
  subject.h2d = 200us;
  subject.d2h = 100us;
  const auto samples = loop_over(subject, in_flight(2), 3);
  ASSERT_TRUE(samples);
  EXPECT_THAT(parts(*samples, &Sample::device), ElementsAre(4ms, 1ms, 1ms));
  EXPECT_THAT(parts(*samples, &Sample::h2d), ElementsAre(200us, 200us, 200us));
  EXPECT_THAT(parts(*samples, &Sample::d2h), ElementsAre(100us, 100us, 100us));
  EXPECT_THAT(parts(*samples, &Sample::end_to_end), ElementsAre(4300us, 1300us, 1300us));
}

TEST(ManyFlights, LandAllWhenALimitIsReachedAndReturnThemAll) {
  FakeSubject subject{each({10ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms}), 0us, true, 2};
  const auto samples = loop_over(subject, in_flight(2), 12, {3ms, nullptr});
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->size(), 4u);  // 0, which flies on until 10 ms, and three on the other stream
  EXPECT_EQ(samples->front().end_to_end, 10ms);
  for (const Sample& sample : *samples) EXPECT_GT(sample.end_to_end, 0ms);
  EXPECT_EQ(subject.submits, 4u);
  EXPECT_EQ(subject.completed, 4u);
}

TEST(ManyFlights, LandAllWhenTheUserHasHadEnough) {
  std::atomic<bool> stop{false};
  FakeSubject subject{always(1ms), 0us, true, 3};
  subject.after_submit = [&](std::size_t submits) { stop = submits >= 10; };
  const auto samples = loop_over(subject, in_flight(6), 100, {device::Instant::max(), &stop});
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->size(), subject.submits);
  EXPECT_EQ(subject.completed, subject.submits);
  EXPECT_LT(samples->size(), 20u);
  for (const Sample& sample : *samples) EXPECT_EQ(sample.device, 1ms);
}

TEST(ManyFlights, AFailingLaunchLeavesNoneOfTheOthersInFlight) {
  FakeSubject subject{always(1ms), 0us, true, 2};
  subject.h2d = 100us;
  subject.fail_at = 5;
  const auto loop = make_loop(subject, in_flight(4));
  ASSERT_TRUE(loop);
  std::vector<Sample> samples(20);
  const auto failed = (*loop)->run(samples, 0, kNoLimits);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "the device was lost");
  EXPECT_EQ(subject.submits, 5u);
  EXPECT_EQ(subject.completed, 5u + 5u + 1u);  // five inferences and the copies of six
  EXPECT_TRUE(*subject.timeline().passed(*[&] {
    auto mark = subject.timeline().make_mark();
    EXPECT_TRUE(subject.timeline().record(*mark));
    return mark;
  }()));
}

TEST(ManyFlights, TheLoopIsUsableAfterAFailure) {
  FakeSubject subject{always(1ms), 0us, true, 2};
  subject.fail_at = 5;
  const auto loop = make_loop(subject, in_flight(4));
  ASSERT_TRUE(loop);
  std::vector<Sample> samples(20);
  ASSERT_FALSE((*loop)->run(samples, 0, kNoLimits));
  subject.fail_at.reset();
  const auto done = (*loop)->run(samples, 100, kNoLimits);
  ASSERT_TRUE(done);
  EXPECT_EQ(*done, 20u);
  for (const Sample& sample : samples) EXPECT_EQ(sample.device, 1ms);
  std::vector<std::size_t> last(subject.iterations.end() - 20, subject.iterations.end());
  std::vector<std::size_t> expected(20);
  std::iota(expected.begin(), expected.end(), 100u);
  EXPECT_EQ(last, expected);
}

TEST(SingleFlight, StopsAfterTheRunThatReachedTheLimit) {
  FakeSubject subject{always(1ms)};
  const auto samples = loop_over(subject, {}, 10, {3ms, nullptr});
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->size(), 3u);
}

TEST(SingleFlight, AFailingLaunchIsItsError) {
  FakeSubject subject{always(1ms)};
  subject.h2d = 100us;
  subject.fail_at = 2;
  const auto samples = loop_over(subject, {}, 10);
  ASSERT_FALSE(samples);
  EXPECT_EQ(subject.completed, 5u);
}

}  // namespace
}  // namespace lapse::measuring
