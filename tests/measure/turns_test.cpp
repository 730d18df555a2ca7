#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/measure/timing.hpp>
#include <lapse/measure/turns.hpp>
#include <vector>

#include "measure/fake_subject.hpp"

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

FakeSubject::DurationOf always(Duration duration) {
  return [duration](std::size_t) { return duration; };
}

/// Says the turns that a test writes down, and keeps what came of them.
class Script final : public Turns {
 public:
  explicit Script(std::vector<Turn> turns) : turns_(std::move(turns)) {}

  std::optional<Turn> next(const Block& done) override {
    if (asked_ > 0) blocks.push_back(done);
    if (before_each) before_each(asked_);
    return asked_ < turns_.size() ? std::optional(turns_[asked_++]) : std::nullopt;
  }

  std::function<void(std::size_t)> before_each;
  std::vector<Block> blocks;

 private:
  std::vector<Turn> turns_;
  std::size_t asked_ = 0;
};

Turn block(Duration length) { return {false, length}; }
Turn warm_up(Duration limit) { return {true, limit}; }

Result<Measurement> take(Subject& subject, Script& script, Plan plan = {}) {
  return take_turns(subject, plan, Hooks{.progress = {}, .turns = &script});
}

TEST(Turns, ABlockIsOverWithTheFirstRunThatEndsAfterItsLength) {
  FakeSubject subject{always(30ms)};
  Script script{{block(100ms), block(100ms)}};
  const auto measured = take(subject, script);
  ASSERT_TRUE(measured);
  EXPECT_THAT(measured->blocks, ElementsAre(4, 4));
  EXPECT_EQ(measured->samples.size(), 8u);
  EXPECT_EQ(measured->stop, Stop::Budget);
  EXPECT_EQ(measured->timed, 240ms);
}

TEST(Turns, TheFirstRunOfABlockWhichFindsItsCachesEmptyIsNotCounted) {
  std::size_t begun = 0;  // runs made when the block began
  FakeSubject* made = nullptr;
  FakeSubject subject{[&](std::size_t iteration) { return iteration == begun ? 50ms : 10ms; }};
  made = &subject;
  Script script{{block(100ms), block(100ms), block(100ms)}};
  script.before_each = [&](std::size_t) { begun = made->submits; };
  const auto measured = take(subject, script);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->samples.size(), 30u);
  for (const Sample& sample : measured->samples) EXPECT_EQ(sample.end_to_end, 10ms);
  EXPECT_EQ(script.blocks[1].runs, 10u);
  EXPECT_EQ(script.blocks[1].median, 10ms);
  EXPECT_EQ(script.blocks[1].took, 150ms);
}

TEST(Turns, ARunThatIsLongerThanABlockIsABlockAndCounts) {
  FakeSubject subject{always(3s)};
  Script script{{warm_up(1s), block(100ms), block(100ms)}};
  const auto measured = take(subject, script);
  ASSERT_TRUE(measured);
  EXPECT_THAT(measured->blocks, ElementsAre(1, 1));
  EXPECT_EQ(subject.submits, 3u);  // of which one warmed up
}

TEST(Turns, AShortRunMakesShortBlocksRatherThanMillionsOfSamples) {
  FakeSubject subject{always(1us)};
  Script script{{block(100ms)}};
  const auto measured = take(subject, script);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->samples.size(), kBlockRuns);
  EXPECT_LT(script.blocks[0].took, 3ms);
}

TEST(Turns, WarmingUpGoesOnUntilTheTimesNoLongerFall) {
  FakeSubject subject{[](std::size_t i) { return i < 2 ? 50ms : i < 6 ? 25ms : 10ms; }};
  Script script{{warm_up(10s), block(100ms)}};
  const auto measured = take(subject, script);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->warmup.discarded, 26u);  // 2 of 50 ms, 4 of 25 ms, 10 of 10 ms, and 10 that were no faster
  EXPECT_EQ(measured->warmup.samples.size(), 26u);
  EXPECT_EQ(measured->warmup.samples.front().end_to_end, 50ms);
  EXPECT_EQ(script.blocks[0].runs, 26u);
  EXPECT_EQ(script.blocks[0].took, 400ms);
  for (const Sample& sample : measured->samples) EXPECT_EQ(sample.end_to_end, 10ms);
}

TEST(Turns, WarmingUpEndsWhenItsTimeIsOver) {
  FakeSubject subject{[](std::size_t i) { return Duration(100ms) * 100 / (100 + 10 * i); }};  // gets faster for ever
  Script script{{warm_up(500ms)}};
  const auto measured = take(subject, script);
  ASSERT_TRUE(measured);
  EXPECT_GE(script.blocks[0].took, 500ms);
  EXPECT_LT(script.blocks[0].took, 650ms);
  EXPECT_TRUE(measured->samples.empty());
}

TEST(Turns, InputSetsGoOnFromBlockToBlock) {
  FakeSubject subject{always(50ms)};
  Script script{{block(100ms), block(100ms)}};
  ASSERT_TRUE(take(subject, script));
  EXPECT_THAT(subject.iterations, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Turns, SeveralInFlightFillTheirBlock) {
  FakeSubject subject{always(10ms)};
  Plan plan;
  plan.scenario = Scenario::Offline;
  plan.in_flight = 4;
  Script script{{block(100ms)}};
  const auto measured = take(subject, script, plan);
  ASSERT_TRUE(measured);
  EXPECT_GE(measured->samples.size(), 10u);
  EXPECT_LE(measured->samples.size(), 14u);
  EXPECT_EQ(subject.submits, measured->samples.size() + 4);
}

TEST(Turns, AnErrorEndsThem) {
  FakeSubject subject{always(10ms)};
  subject.fail_at = 25;
  Script script{{block(100ms), block(100ms), block(100ms), block(100ms)}};
  const auto measured = take(subject, script);
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code, ErrorCode::DeviceUnusable);
  EXPECT_EQ(script.blocks.size(), 2u);
}

TEST(Turns, TheWholeMeasurementCanBeMadeInTurns) {
  FakeSubject subject{always(20ms)};
  Script script{{warm_up(1s), block(100ms), block(100ms)}};
  const auto timing = time_subject(subject, {}, Hooks{.progress = {}, .turns = &script});
  ASSERT_TRUE(timing);
  EXPECT_THAT(timing->measurement.blocks, ElementsAre(5, 5));
  EXPECT_EQ(timing->measurement.warmup.discarded, 10u);
}

TEST(RoundOrder, OfEveryTwoRoundsEachSideBeginsOneAndChanceSaysWhich) {
  RoundOrder order{7};
  int a_before_b = 0;
  for (int pair = 0; pair < 1000; ++pair) {
    const bool first = order.a_first(), second = order.a_first();
    EXPECT_NE(first, second);
    a_before_b += first ? 1 : 0;
  }
  EXPECT_GT(a_before_b, 430);
  EXPECT_LT(a_before_b, 570);
}

}  // namespace
}  // namespace lapse::measuring
