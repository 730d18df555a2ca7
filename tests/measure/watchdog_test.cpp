#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <lapse/measure/watchdog.hpp>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Looks are made by hand, at times of the test's own; the side thread itself sleeps for minutes.
constexpr Duration kLimit = 1h;
const Watchdog::Instant kStart{};

void never(const Expiry&) { FAIL() << "expired"; }

TEST(Watchdog, ExpiresAStepThatWasSeenForTheLimitAndNamesIt) {
  Watchdog watchdog{kLimit, never};
  watchdog.phase("warm-up");
  watchdog.pulse().enter(Step::Submit);
  EXPECT_FALSE(watchdog.look(kStart));
  EXPECT_FALSE(watchdog.look(kStart + kLimit - 1ns));
  const auto expiry = watchdog.look(kStart + kLimit);
  ASSERT_TRUE(expiry);
  EXPECT_EQ(expiry->step, Step::Submit);
  EXPECT_EQ(expiry->phase, "warm-up");
  EXPECT_EQ(expiry->waited, kLimit);
  EXPECT_FALSE(expiry->so_far);
}

TEST(Watchdog, TakesTheSameStepOnceMoreForProgress) {
  Watchdog watchdog{kLimit, never};
  for (int hour = 0; hour < 5; ++hour) {
    watchdog.pulse().enter(Step::Submit);
    EXPECT_FALSE(watchdog.look(kStart + hour * kLimit));
  }
}

TEST(Watchdog, GivesLapsesOwnWorkAllTheTimeItTakes) {
  Watchdog watchdog{kLimit, never};
  { const Within step(&watchdog.pulse(), Step::Load); }
  for (int hour = 0; hour < 5; ++hour) EXPECT_FALSE(watchdog.look(kStart + hour * kLimit));
}

TEST(Watchdog, StartsTheLimitOfAStepWhenThatStepBegins) {
  Watchdog watchdog{kLimit, never};
  EXPECT_FALSE(watchdog.look(kStart));
  EXPECT_FALSE(watchdog.look(kStart + 10 * kLimit));
  watchdog.pulse().enter(Step::Wait);
  EXPECT_FALSE(watchdog.look(kStart + 11 * kLimit));
  EXPECT_TRUE(watchdog.look(kStart + 12 * kLimit));
}

TEST(Watchdog, SeesTheOneThreadThatHangsAmongOthersThatGoOn) {
  Watchdog watchdog{kLimit, never, 3};
  watchdog.pulse(1).enter(Step::Wait);
  for (int hour = 0; hour < 2; ++hour) {
    watchdog.pulse(0).enter(Step::Submit);
    watchdog.pulse(2).enter(Step::Submit);
    const auto expiry = watchdog.look(kStart + hour * kLimit);
    ASSERT_EQ(expiry.has_value(), hour == 1);
    if (expiry) {
      EXPECT_EQ(expiry->step, Step::Wait);
    }
  }
}

Measurement three_runs() {
  Measurement measurement;
  measurement.warmup.discarded = 7;
  measurement.timed = 3ms;
  for (const Duration duration : {1ms, 2ms, 99ms}) {
    Sample sample;
    sample.end_to_end = duration;
    measurement.samples.push_back(sample);
  }
  return measurement;
}

TEST(Watchdog, HandsOverTheCompleteRunsThatWerePublished) {
  Watchdog watchdog{kLimit, never};
  const Measurement measurement = three_runs();  // the last of them is still under way
  watchdog.publish(measurement, 2);
  watchdog.pulse().enter(Step::Wait);
  EXPECT_FALSE(watchdog.look(kStart));
  const auto expiry = watchdog.look(kStart + kLimit);
  ASSERT_TRUE(expiry);
  ASSERT_TRUE(expiry->so_far);
  EXPECT_EQ(expiry->so_far->warmup.discarded, 7u);
  EXPECT_EQ(expiry->so_far->timed, 3ms);
  EXPECT_EQ(expiry->so_far->stop, Stop::Failed);
  ASSERT_EQ(expiry->so_far->samples.size(), 2u);
  EXPECT_EQ(expiry->so_far->samples[1].end_to_end, 2ms);
}

TEST(Watchdog, HandsOverNothingThatWasWithdrawnOrThatHasNoRunYet) {
  Watchdog watchdog{kLimit, never};
  const Measurement measurement = three_runs();
  watchdog.pulse().enter(Step::Wait);
  watchdog.look(kStart);
  watchdog.publish(measurement, 0);
  EXPECT_FALSE(watchdog.look(kStart + kLimit)->so_far);
  watchdog.publish(measurement, 2);
  watchdog.withdraw();
  EXPECT_FALSE(watchdog.look(kStart + kLimit)->so_far);
}

TEST(Watchdog, CallsFromItsOwnThreadWhenAStepReallyHangs) {
  std::promise<Expiry> expired;
  Watchdog watchdog{5ms, [&](Expiry expiry) { expired.set_value(std::move(expiry)); }};
  watchdog.pulse().enter(Step::Submit);
  const Expiry expiry = expired.get_future().get();
  EXPECT_EQ(expiry.step, Step::Submit);
  EXPECT_GE(expiry.waited, 5ms);
}

TEST(Watchdog, LetsNobodyChangeWhatWasPublishedWhileItIsReported) {
  std::promise<void> called, report_written;
  Watchdog watchdog{5ms, [&](const Expiry&) {
                      called.set_value();
                      report_written.get_future().wait();
                    }};
  const Measurement measurement = three_runs();
  watchdog.publish(measurement, 2);
  watchdog.pulse().enter(Step::Wait);
  called.get_future().wait();
  const auto withdrawn = std::async(std::launch::async, [&] { watchdog.withdraw(); });
  EXPECT_EQ(withdrawn.wait_for(20ms), std::future_status::timeout);
  report_written.set_value();
  withdrawn.wait();
}

TEST(Watchdog, EndsAtOnceWhenNothingHangs) {
  const auto closed = std::async(std::launch::async, [] { const Watchdog watchdog{kLimit, never}; });
  EXPECT_EQ(closed.wait_for(1min), std::future_status::ready);
}

TEST(TimedOut, NamesTheStepThePhaseTheSubjectAndTheLimitInOneLine) {
  const Error load = timed_out({Step::Load, "", 61s, {}}, 60s, "model.onnx");
  EXPECT_EQ(load.message, "time-out: loading model.onnx has not ended for 60 s");
  EXPECT_EQ(load.code, ErrorCode::EngineUnusable);
  EXPECT_THAT(load.hint, HasSubstr("--timeout"));
  const Error enqueue = timed_out({Step::Submit, "warm-up", 61s, {}}, 300ms, "./libmine.so:gemm");
  EXPECT_EQ(enqueue.message, "time-out in warm-up: enqueue of ./libmine.so:gemm has not returned for 300 ms");
  EXPECT_EQ(exit_status(enqueue.code), 3);
  const Error wait = timed_out({Step::Wait, "the timed runs", 61s, {}}, 90s, "model.onnx");
  EXPECT_EQ(wait.message, "time-out in the timed runs: the device has not finished the work of model.onnx for 90 s");
  EXPECT_EQ(wait.code, ErrorCode::DeviceUnusable);
}

}  // namespace
}  // namespace lapse::measuring
