// Both ways on the simulated device, whose work takes exactly as long as it says, with a CPU stage of known length.

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <lapse/device/timeline.hpp>
#include <lapse/engine/catalogue.hpp>
#include <lapse/engine/session.hpp>
#include <lapse/pipeline/figures.hpp>
#include <stdexcept>

namespace lapse::pipeline {
namespace {

using namespace std::chrono_literals;

class OverlapOnSim : public ::testing::Test {
 protected:
  void load(const std::string& settings, const std::string& engine = "sim") {
    engine_.emplace(*engine::Engine::open(**engine::find_engine(engine), {}));
    auto session = engine_->load(settings, {});
    ASSERT_TRUE(session) << session.error().message;
    session_.emplace(std::move(*session));
    timeline_ = *device::open_timeline(session_->device(), 3);
    inputs_.clear();
    inputs_.push_back(*tensor::Tensor::make(tensor::DType::Float32, {4, 4}));
  }

  // Item i of batch b holds b + i / 10, and the CPU sleeps: a stage of known length that takes no processor from the others.
  Prepare sleeping(Duration time) {
    return [time](std::size_t batch, BatchInputs inputs) -> Result<std::vector<bool>> {
      std::this_thread::sleep_for(time);
      for (std::size_t i = 0; i < 16; ++i) {
        const float value = static_cast<float>(batch) + static_cast<float>(i / 4) / 10;
        std::memcpy(inputs[0].data() + i * sizeof value, &value, sizeof value);
      }
      return std::vector<bool>(4, true);
    };
  }

  // Item 3 of batch 1 is another one whenever `changed` says so of how often that batch was asked for.
  Prepare changing(std::function<bool(int)> changed) {
    auto asked = std::make_shared<std::atomic<int>>(0);
    return [asked, changed, inner = sleeping(0us)](std::size_t batch, BatchInputs inputs) -> Result<std::vector<bool>> {
      auto there = inner(batch, inputs);
      if (batch != 1) return there;
      const int number = ++*asked;
      const float value = changed(number) ? 1000.0F + static_cast<float>(number) : 0.0F;
      std::memcpy(inputs[0].data() + 12 * sizeof value, &value, sizeof value);
      return there;
    };
  }

  Result<Overlap> run(const Prepare& prepare, OverlapPlan plan, const OverlapHooks& hooks = {}) {
    plan.items = 4;
    return overlap(*session_, *timeline_, inputs_, prepare, plan, hooks);
  }

  std::optional<engine::Engine> engine_;
  std::unique_ptr<device::Timeline> timeline_;
  std::optional<engine::Session> session_;
  std::vector<tensor::Tensor> inputs_;
};

TEST_F(OverlapOnSim, RoundsAreWholeAndBothWaysGiveTheSameAnswers) {
  load("device=100us");
  const OverlapPlan plan{.batches = 10, .rounds = 3};
  const auto result = run(sleeping(100us), plan);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->steps, (std::vector{Step::Prepare, Step::Forward, Step::Consume}));
  ASSERT_EQ(result->synchronous.size(), 4u);
  ASSERT_EQ(result->asynchronous.size(), 4u);
  for (const auto* rounds : {&result->synchronous, &result->asynchronous}) {
    for (const Round& round : *rounds) {
      ASSERT_EQ(round.batches.size(), 10u);
      EXPECT_EQ(round.items, 40u);
      for (const BatchTimes& times : round.batches) {
        EXPECT_LE(times.at(Step::Prepare).end, times.at(Step::Forward).begin);
        EXPECT_GE(times.at(Step::Forward).end - times.at(Step::Forward).begin, 100us);  // and what gap a slow host left in it
        EXPECT_LE(times.at(Step::Forward).end, times.at(Step::Consume).begin);
      }
    }
  }
  EXPECT_EQ(result->agreement.items, 40u);
  EXPECT_EQ(result->agreement.different, 0u);
  EXPECT_EQ(result->agreement.random, 0u);
}

TEST_F(OverlapOnSim, InTheSynchronousWayNothingOverlapsAndInTheOtherItDoes) {
  load("device=2ms");
  const auto result = run(sleeping(2ms), {.batches = 8, .rounds = 1});
  ASSERT_TRUE(result);
  const auto overlapping = [](const Round& round) {
    std::size_t count = 0;
    for (const BatchTimes& one : round.batches) {
      for (const BatchTimes& other : round.batches) {
        const auto &forward = one.at(Step::Forward), &prepare = other.at(Step::Prepare);
        if (prepare.begin < forward.end && forward.begin < prepare.end) ++count;
      }
    }
    return count;
  };
  EXPECT_EQ(overlapping(result->synchronous.back()), 0u);
  EXPECT_GT(overlapping(result->asynchronous.back()), 0u);
}

TEST_F(OverlapOnSim, CopiesHaveStreamsOfTheirOwnAndPassBesideTheForwardPass) {
  load("device=3ms,h2d=2ms,d2h=1ms");
  const auto result = run(sleeping(10us), {.batches = 12, .rounds = 1, .in_flight = 3});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->steps, (std::vector{Step::Prepare, Step::H2D, Step::Forward, Step::D2H, Step::Consume}));
  std::size_t beside = 0;
  for (const BatchTimes& times : result->asynchronous.back().batches) {
    EXPECT_GE(times.at(Step::H2D).end - times.at(Step::H2D).begin, 2ms);
    EXPECT_GE(times.at(Step::D2H).end - times.at(Step::D2H).begin, 1ms);
    EXPECT_LE(times.at(Step::H2D).end, times.at(Step::Forward).begin);
    EXPECT_LE(times.at(Step::Forward).end, times.at(Step::D2H).begin);
    for (const BatchTimes& other : result->asynchronous.back().batches) {
      if (times.at(Step::H2D).begin < other.at(Step::Forward).end && other.at(Step::Forward).begin < times.at(Step::H2D).end) ++beside;
    }
  }
  EXPECT_GT(beside, 0u);
}

TEST_F(OverlapOnSim, ABlockingEngineIsOverlappedByThreads) {
  load("device=1ms,blocking=1");
  const auto result = run(sleeping(1ms), {.batches = 10, .rounds = 1});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->agreement.different, 0u);
}

TEST_F(OverlapOnSim, AMissingItemLeavesItsBatchWhole) {
  load("device=10us");
  const auto prepare = [inner = sleeping(0us)](std::size_t batch, BatchInputs inputs) -> Result<std::vector<bool>> {
    LAPSE_TRY(auto there, inner(batch, inputs));
    if (batch == 2) there[1] = false;
    return there;
  };
  const auto result = run(prepare, {.batches = 5, .rounds = 1});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->synchronous.back().items, 19u);
  EXPECT_EQ(result->asynchronous.back().items, 19u);
  EXPECT_EQ(result->agreement.items, 19u);
}

TEST_F(OverlapOnSim, AnswersThatDifferAreCountedItemByItem) {
  load("device=10us");
  // As it was for the reference and the asynchronous warm-up, then another one each time.
  const auto result = run(changing([](int asked) { return asked > 2; }), {.batches = 4, .rounds = 2});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->agreement.random, 1u);
  EXPECT_EQ(result->agreement.different, 1u);
}

TEST_F(OverlapOnSim, WhatOnlyTheAsynchronousWayGetsWrongIsDifferentAndNotRandom) {
  load("device=10us");
  // In the order of the rounds: reference, asynchronous warm-up, asynchronous, synchronous.
  const auto result = run(changing([](int asked) { return asked == 3; }), {.batches = 4, .rounds = 1});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->agreement.different, 1u);
  EXPECT_EQ(result->agreement.random, 0u);
}

TEST_F(OverlapOnSim, AnErrorInTheMiddleKeepsTheRoundsBeforeIt) {
  load("device=10us");
  std::atomic<int> asked{0};
  const auto prepare = [&, inner = sleeping(0us)](std::size_t batch, BatchInputs inputs) -> Result<std::vector<bool>> {
    if (++asked > 55) throw std::runtime_error("the disk is gone");
    return inner(batch, inputs);
  };
  const auto result = run(prepare, {.batches = 10, .rounds = 6});
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_TRUE(result->failure);
  EXPECT_NE(result->failure->message.find("the disk is gone"), std::string::npos);
  EXPECT_EQ(result->synchronous.size(), 2u);
  EXPECT_EQ(result->asynchronous.size(), 2u);
}

TEST_F(OverlapOnSim, AnErrorBeforeThereIsAnythingIsTheAnswer) {
  load("device=10us");
  const auto result =
      run([](std::size_t, BatchInputs) -> Result<std::vector<bool>> { return fail(ErrorCode::BadInput, "no picture"); }, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::BadInput);
}

TEST_F(OverlapOnSim, WhoStopsItGetsWhatThereIs) {
  load("device=10us");
  std::atomic<bool> stop{false};
  std::atomic<int> asked{0};
  const auto prepare = [&, inner = sleeping(0us)](std::size_t batch, BatchInputs inputs) {
    if (++asked == 90) stop = true;
    return inner(batch, inputs);
  };
  const auto result = run(prepare, {.batches = 10, .rounds = 1000}, {.progress = {}, .stop = &stop});
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->failure);
  EXPECT_EQ(result->failure->code, ErrorCode::Interrupted);
  EXPECT_GE(result->synchronous.size(), 2u);
}

TEST_F(OverlapOnSim, MoreWorkersThanBatchesEnd) {
  load("device=10us");
  const auto result = run(sleeping(10us), {.batches = 1, .rounds = 2, .workers = 4});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->asynchronous.back().batches.size(), 1u);
}

// The figures of rounds that are made up: no clock is in them.
class OverlapFiguresOf : public ::testing::Test {
 protected:
  // `count` batches of which each step takes so long; in the asynchronous way the slowest step's batches come one behind the other.
  static Round round(std::size_t count, Duration prepare, Duration forward, bool asynchronous) {
    Round round;
    const Duration longest = std::max(prepare, forward);
    for (std::size_t i = 0; i < count; ++i) {
      const Duration start = static_cast<Duration::rep>(i) * (asynchronous ? longest : prepare + forward);
      BatchTimes times;
      times.batch = static_cast<std::uint32_t>(i);
      times.items = 2;
      times.steps[0] = {start, start + prepare};
      times.steps[2] = {start + prepare, start + prepare + forward};
      times.steps[4] = {start + prepare + forward, start + prepare + forward};
      round.batches.push_back(times);
    }
    round.items = 2 * count;
    round.duration = round.batches.back().at(Step::Consume).end;
    return round;
  }
};

TEST_F(OverlapFiguresOf, EqualStagesAreTheBestCase) {
  Overlap overlap{{Step::Prepare, Step::Forward, Step::Consume}, {}, {}, {}, {}};
  for (int i = 0; i < 7; ++i) {
    overlap.synchronous.push_back(round(99, 5ms, 5ms, false));
    overlap.asynchronous.push_back(round(99, 5ms, 5ms, true));
  }
  const OverlapFigures found = figures(overlap, {});
  EXPECT_DOUBLE_EQ(found.speedup.value, 1.98);  // 990 / 500
  ASSERT_TRUE(found.speedup.ranks);
  EXPECT_DOUBLE_EQ(found.speedup.low, 1.98);
  EXPECT_DOUBLE_EQ(found.efficiency.value, 0.99);
  EXPECT_DOUBLE_EQ(found.bound_per_s, 400.0);
  EXPECT_DOUBLE_EQ(found.synchronous.throughput_per_s, 200.0);
  EXPECT_DOUBLE_EQ(found.asynchronous.throughput_per_s, 396.0);
  EXPECT_DOUBLE_EQ(found.synchronous.utilisation[0], 0.5);
  EXPECT_DOUBLE_EQ(found.asynchronous.utilisation[1], 0.99);
  EXPECT_DOUBLE_EQ(found.asynchronous.busy_ns[1], 5e6);
}

TEST_F(OverlapFiguresOf, TheSlowestStageIsTheBoundAndWorkersShareTheirs) {
  Overlap overlap{{Step::Prepare, Step::Forward, Step::Consume}, {}, {}, {}, {}};
  for (int i = 0; i < 3; ++i) {
    overlap.synchronous.push_back(round(10, 12ms, 5ms, false));
    overlap.asynchronous.push_back(round(10, 12ms, 5ms, true));
  }
  EXPECT_EQ(figures(overlap, {.workers = 1}).bound, Step::Prepare);
  EXPECT_EQ(figures(overlap, {.workers = 3}).bound, Step::Forward);
  EXPECT_FALSE(figures(overlap, {}).speedup.ranks);  // of two pairs there is no interval
}

TEST_F(OverlapFiguresOf, TheWarmUpCountsInNothing) {
  Overlap overlap{{Step::Prepare, Step::Forward, Step::Consume}, {}, {}, {}, {}};
  overlap.synchronous = {round(10, 500ms, 500ms, false), round(10, 5ms, 5ms, false)};
  overlap.asynchronous = {round(10, 500ms, 500ms, true), round(10, 5ms, 5ms, true)};
  EXPECT_DOUBLE_EQ(figures(overlap, {}).synchronous.throughput_per_s, 200.0);
  EXPECT_EQ(figures(overlap, {}).asynchronous.latency.count, 10u);
}

}  // namespace
}  // namespace lapse::pipeline
