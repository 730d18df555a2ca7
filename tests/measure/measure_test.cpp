#include <lapse/measure/measure.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/device/simulated.hpp>
#include <stdexcept>

namespace lapse {
namespace {

using namespace std::chrono_literals;
using measuring::Rule;
using measuring::Verdict;

device::SimStream& sim(void* stream) { return *static_cast<device::SimStream*>(stream); }

TEST(Measure, TimesWorkOnTheStreamThatItIsHanded) {
  const auto result = measure(
      [](void* stream) {
        sim(stream).host_work(20us);
        sim(stream).enqueue(3ms);
      },
      {.budget = 1s}, "sim:virtual");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->asynchronous);
  EXPECT_EQ(result->first, 3020us);
  EXPECT_EQ(result->summary.submit.median->value, 20e3);
  EXPECT_EQ(result->summary.device.median->value, 3e6);
  EXPECT_EQ(result->summary.end_to_end.median->value, 3.02e6);
  for (const auto& finding : result->timing.findings) EXPECT_NE(finding.verdict, Verdict::Found);
}

TEST(Measure, AuditsTheWork) {
  const auto result = measure([](void* stream) { sim(stream).side().enqueue(1ms); }, {.budget = 200ms}, "sim:virtual");
  ASSERT_TRUE(result);
  const auto wrong = std::ranges::find(result->warnings, "other_stream", &measuring::Warning::code);
  EXPECT_NE(wrong, result->warnings.end());
}

TEST(Measure, TimesWorkOnTheCpu) {
  int calls = 0;
  const auto result = measure([&] { ++calls; }, {.budget = 10s, .max_runs = 100, .warmup = 10});
  ASSERT_TRUE(result);
  EXPECT_EQ(calls, 111);  // the first one, the warm-up, the timed runs
  EXPECT_EQ(result->timing.measurement.samples.size(), 100u);
  EXPECT_FALSE(result->asynchronous);
  EXPECT_TRUE(result->timing.findings.empty());
}

TEST(Measure, WhatTheWorkReturnsThrowsOrFailsWithIsAnError) {
  const auto returned = measure([](void*) { return 700; }, {}, "sim:virtual");
  ASSERT_FALSE(returned);
  EXPECT_EQ(returned.error().message, "the work returned 700, which is not success");
  const auto thrown = measure([]() { throw std::runtime_error("no"); });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().message, "the work threw: no");
  const auto odd = measure([]() { throw 7; });
  ASSERT_FALSE(odd);
  const auto failed = measure([]() -> Result<void> { return fail(ErrorCode::OutOfMemory, "full"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::OutOfMemory);
  EXPECT_TRUE(measure([] { return 0; }, {.max_runs = 1, .warmup = 0}));
}

TEST(Measure, KeepsWhatWasTimedBeforeAFailure) {
  int calls = 0;
  const auto result = measure(
      [&](void* stream) {
        sim(stream).enqueue(1ms);
        return ++calls > 500 ? 1 : 0;
      },
      {.precision = 1e-9, .budget = 100s}, "sim:virtual");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->timing.measurement.stop, measuring::Stop::Failed);
  ASSERT_TRUE(result->timing.measurement.failure);
  EXPECT_GT(result->timing.measurement.samples.size(), 100u);
}

TEST(Measure, SeveralInFlightAreTheOfflineScenario) {
  const auto result = measure([](void* stream) { sim(stream).enqueue(1ms); }, {.in_flight = 4, .streams = 2, .budget = 1s}, "sim:virtual");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->plan.scenario, measuring::Scenario::Offline);
  EXPECT_EQ(result->summary.device.median->value, 1e6);
  EXPECT_EQ(result->summary.end_to_end.median->value, 2e6);  // each waits for the one before it on its stream
}

TEST(Measure, ADeviceThatIsNotThereIsAnError) {
  const auto result = measure([](void*) {}, {}, "tpu");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::DeviceUnusable);
}

}  // namespace
}  // namespace lapse
