#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/measure/audit.hpp>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;

class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    prepare("null");
    machine_.cpus_allowed = 64;
    timed().measurement.course.verdict = stats::Course::Flat;
    constant(1000, 1ms);
  }

  void prepare(const std::string& name) {
    ModelRequest request;
    request.model = name;
    request.threads = 1;
    auto prepared = prepare_model(request);
    ASSERT_TRUE(prepared) << prepared.error().message;
    model_ = std::move(*prepared);
    model_.inputs->warnings.clear();
    model_.peak_was_reset = true;
  }

  Timing& timed() { return timing_.timing; }
  static Sample run(Duration value) { return {{}, value, value, value, {}, {}}; }
  void constant(std::size_t count, Duration value) { timed().measurement.samples.assign(count, run(value)); }

  Warnings audit() const {
    return measuring::audit(model_, plan_, timing_, summarise(timing_.timing.measurement.samples, false), machine_);
  }
  static auto named(const std::string& code) { return Contains(Field(&Warning::code, code)); }

  PreparedModel model_;
  Plan plan_;
  ModelTiming timing_;
  host::Fingerprint machine_;
};

TEST_F(AuditTest, HasNothingToSayOfACleanMeasurement) { EXPECT_THAT(audit(), IsEmpty()); }

TEST_F(AuditTest, NamesAnUnreachedPrecisionAndTheBudgetThatWouldDo) {
  for (std::size_t i = 0; i < 1000; i += 2) timed().measurement.samples[i] = run(1200us);
  timed().measurement.stop = Stop::Budget;
  const auto warnings = audit();
  ASSERT_THAT(warnings, named("precision_not_reached"));
  const auto found = std::ranges::find(warnings, "precision_not_reached", &Warning::code);
  EXPECT_EQ(found->facts.at("asked"), "1 %");
  EXPECT_FALSE(found->facts.at("suggest").empty());
}

TEST_F(AuditTest, SaysThatFiveRunsSupportNoInterval) {
  constant(5, 1ms);
  timed().measurement.stop = Stop::Budget;
  const auto warnings = audit();
  ASSERT_THAT(warnings, named("few_runs"));
  EXPECT_EQ(warnings.front().facts.at("needed"), "6");
}

TEST_F(AuditTest, SaysThatTheTimesWereNotSteady) {
  stats::Steadiness& course = timed().measurement.course;
  course = {stats::Course::NoSteadyState, 0, {{0, 500, 1e6}, {500, 300, 1.2e6}, {800, 200, 1.1e6}}, 0.0};
  const auto warnings = audit();
  ASSERT_THAT(warnings, named("no_steady_state"));
  EXPECT_EQ(warnings.front().facts.at("low"), "1.000 ms");
  EXPECT_EQ(warnings.front().facts.at("high"), "1.200 ms");

  course = {stats::Course::NoSteadyState, 0, {{0, 1000, 1e6}}, 0.0};  // by a trend
  EXPECT_THAT(audit(), named("no_steady_state"));
  course.cycle = 49.7;
  EXPECT_THAT(audit(), named("cycle"));
}

TEST_F(AuditTest, SaysFromWhatToWhatItSlowedDown) {
  timed().measurement.course = {stats::Course::Slowdown, 600, {{0, 600, 1e6}, {600, 400, 1.25e6}}, 0.0};
  const auto warnings = audit();
  ASSERT_THAT(warnings, named("slowdown"));
  EXPECT_EQ(warnings.front().facts.at("percent"), "25 %");
  EXPECT_EQ(warnings.front().facts.at("runs"), "600");
}

TEST_F(AuditTest, SaysThatTheWarmUpThatWasAskedForWasTooShort) {
  timed().measurement.course = {stats::Course::WarmUp, 30, {{0, 30, 2e6}, {30, 970, 1e6}}, 0.0};
  EXPECT_THAT(audit(), IsEmpty());  // moved to the discarded
  timed().measurement.warmup = {10, true, {}, {}};
  const auto warnings = audit();
  ASSERT_THAT(warnings, named("warmup_too_short"));
  EXPECT_EQ(warnings.front().facts.at("suggest"), "40");
}

TEST_F(AuditTest, SeesASlowTail) {
  for (std::size_t i = 0; i < 1000; i += 50) timed().measurement.samples[i] = run(5ms);
  EXPECT_THAT(audit(), named("slow_tail"));
}

TEST_F(AuditTest, ACallThatReturnsEarlyIsAsynchronousNotWrong) {
  timed().measurement.samples.assign(1000, {{}, 50us, 5ms, 5050us, {}, {}});
  EXPECT_THAT(audit(), testing::IsEmpty());
}

TEST_F(AuditTest, SeesThatTheClockIsTooCoarse) {
  constant(1000, 50ns);
  timed().clock_cost = 25ns;
  EXPECT_THAT(audit(), named("timer_resolution"));
}

TEST_F(AuditTest, SeesADisturbedMachine) {
  timed().disturbance = {0.02, 0.2, 3};
  machine_.cpu_limit = 1.5;
  machine_.governor = "powersave";
  const auto warnings = audit();
  EXPECT_THAT(warnings, named("steal"));
  EXPECT_THAT(warnings, named("busy_machine"));
  EXPECT_THAT(warnings, named("throttled"));
  EXPECT_THAT(warnings, named("governor"));
}

TEST_F(AuditTest, SeesMoreThreadsThanCpus) {
  plan_.in_flight = 4;
  machine_.cpus_allowed = 2;
  const auto warnings = audit();
  ASSERT_THAT(warnings, named("threads_exceed_cpus"));
  EXPECT_EQ(warnings.front().facts.at("in_flight"), "2");
}

TEST_F(AuditTest, PassesOnWhatWasAssumedOfTheInputsAndWhatTheOutputsHold) {
  model_.inputs->warnings.push_back({"dynamic_dimension", {}});
  timing_.outputs.push_back({"y", tensor::DType::Float32, {2}, 1});
  timing_.answer.verdict = Answer::Verdict::Random;
  const auto warnings = audit();
  EXPECT_THAT(warnings, named("dynamic_dimension"));
  EXPECT_THAT(warnings, named("non_finite_output"));
  EXPECT_THAT(warnings, named("random_model"));
}

}  // namespace
}  // namespace lapse::measuring
