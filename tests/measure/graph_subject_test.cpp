#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/measure/graph_subject.hpp>
#include <lapse/measure/model.hpp>

#include "measure/fake_subject.hpp"

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

FakeSubject::DurationOf always(Duration duration) {
  return [duration](std::size_t) { return duration; };
}

Plan runs(std::size_t count) {
  Plan plan;
  plan.max_runs = count;
  plan.precision = -1;  // never
  return plan;
}

Result<ModelTiming> time_sim(const std::string& settings, bool graph) {
  ModelRequest request;
  request.model = "sim:time=virtual," + settings;
  Plan plan = runs(500);
  plan.graph = graph;
  LAPSE_TRY(auto model, prepare_model(request, plan));
  return time_model(model, plan, {});
}

const Finding& launch_gaps(const ModelTiming& timing) {
  return *std::ranges::find(timing.timing.findings, Rule::LaunchGaps, &Finding::rule);
}

TEST(GraphSubject, ClosesTheGapsThatAHostLeavesBetweenFiftyKernels) {
  const std::string fifty = "kernels=50,submit=2ms,device=500us";
  const auto one_by_one = time_sim(fifty, false), at_once = time_sim(fifty, true);
  ASSERT_TRUE(one_by_one && at_once);
  EXPECT_EQ(launch_gaps(*one_by_one).verdict, Verdict::Found);
  EXPECT_EQ(launch_gaps(*at_once).verdict, Verdict::Clean);
  EXPECT_EQ(one_by_one->timing.bound, Bound::Launch);
  EXPECT_EQ(at_once->timing.bound, Bound::Device);
  for (const Sample& sample : one_by_one->timing.measurement.samples) EXPECT_EQ(sample.device, 49 * 40us + 10us);
  for (const Sample& sample : at_once->timing.measurement.samples) {
    EXPECT_EQ(sample.device, 500us);
    EXPECT_EQ(sample.submit, 0us);
    EXPECT_EQ(sample.end_to_end, 500us);
  }
  EXPECT_EQ(at_once->answer.verdict, one_by_one->answer.verdict);
}

TEST(GraphSubject, OfAStagedModelHoldsTheForwardPassAlone) {
  const auto timing = time_sim("kernels=50,submit=2ms,device=500us,h2d=100us,d2h=60us", true);
  ASSERT_TRUE(timing);
  for (const Sample& sample : timing->timing.measurement.samples) {
    EXPECT_EQ(sample.h2d, 100us);
    EXPECT_EQ(sample.device, 500us);
    EXPECT_EQ(sample.d2h, 60us);
    EXPECT_EQ(sample.end_to_end, 660us);
  }
}

TEST(GraphSubject, IsBadUseOfABlockingModel) {
  const auto timing = time_sim("blocking=1", true);
  ASSERT_FALSE(timing);
  EXPECT_EQ(timing.error().code, ErrorCode::BadUse);
  FakeSubject blocking{always(1ms), 0us, false};
  EXPECT_EQ(GraphSubject::make(blocking).error().code, ErrorCode::BadUse);
  EXPECT_EQ(blocking.submits, 0u);
}

TEST(GraphSubject, IsBadUseOnTheHost) {
  ModelRequest request;
  request.model = "null";
  Plan plan = runs(500);
  plan.graph = true;
  auto model = prepare_model(request, plan);
  ASSERT_TRUE(model);
  const auto timing = time_model(*model, plan, {});
  ASSERT_FALSE(timing);
  EXPECT_EQ(timing.error().code, ErrorCode::BadUse);
}

TEST(GraphSubject, SaysThatASubjectThatWaitsInItsSubmitCannotBeCaptured) {
  FakeSubject subject{always(1ms)};
  subject.synchronises = true;
  const auto graph = GraphSubject::make(subject);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::Unsupported);
  EXPECT_NE(graph.error().message.find("can't be captured"), std::string::npos);
  subject.synchronises = false;
  ASSERT_TRUE(subject.submit(0, 0));  // the stream is usable again
  ASSERT_TRUE(subject.timeline().synchronize());
  EXPECT_EQ(subject.completed, GraphSubject::kRunsBefore + 1);
}

TEST(GraphSubject, ASubjectThatFailsWhileItIsCapturedLeavesTheStreamUsable) {
  FakeSubject subject{always(1ms)};
  subject.after_submit = [&](std::size_t submits) {
    if (submits == 1) subject.fail_at = 0;  // the run that allocates goes well
  };
  const auto graph = GraphSubject::make(subject);
  ASSERT_FALSE(graph);
  EXPECT_NE(graph.error().message.find("the device was lost"), std::string::npos);
  subject.fail_at.reset();
  ASSERT_TRUE(subject.submit(0, 0));
  ASSERT_TRUE(subject.timeline().synchronize());
  EXPECT_EQ(subject.completed, 2u);
}

TEST(GraphSubject, RunsTheGraphOfItsSlotAndSetOnItsStream) {
  // Inference i of set i % 2 takes 1 or 2 ms.
  FakeSubject subject{[](std::size_t i) { return Duration{i % 2 == 0 ? 1ms : 2ms}; }, 0us, true, 2};
  subject.input_sets = 2;
  auto graph = GraphSubject::make(subject);
  ASSERT_TRUE(graph);
  const std::size_t submits = (GraphSubject::kRunsBefore + 1) * FakeSubject::kSlots * 2;  // the runs before, and the one that is captured
  EXPECT_EQ(subject.submits, submits);
  device::Timeline& timeline = graph->timeline();
  for (std::size_t slot = 0; slot < 4; ++slot) {
    for (std::size_t iteration = 0; iteration < 4; ++iteration) {
      const auto begin = *timeline.make_mark(), end = *timeline.make_mark();
      ASSERT_TRUE(timeline.record(begin, slot % 2));
      ASSERT_TRUE(graph->submit(slot, iteration));
      ASSERT_TRUE(timeline.record(end, slot % 2));
      ASSERT_TRUE(timeline.wait(end));
      EXPECT_EQ(*timeline.elapsed(begin, end), iteration % 2 == 0 ? 1ms : 2ms);
    }
  }
  EXPECT_EQ(subject.submits, submits);
}

}  // namespace
}  // namespace lapse::measuring
