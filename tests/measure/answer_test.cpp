#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/device/host_timeline.hpp>
#include <lapse/measure/answer.hpp>

#include "measure/fake_engine.hpp"

namespace lapse::measuring {
namespace {

using ::testing::HasSubstr;

tensor::Tensor expected_values(float a, float b) {
  auto tensor = std::move(*tensor::Tensor::make(tensor::DType::Float32, {2}));
  reinterpret_cast<float*>(tensor.data())[0] = a;
  reinterpret_cast<float*>(tensor.data())[1] = b;
  return tensor;
}

Result<Answer> check(FakeEngine& engine, std::size_t output, float a, float b) {
  auto session = engine.load();
  device::HostTimeline timeline;
  Inputs inputs;
  inputs.sets.resize(1);
  inputs.sets[0].expected.push_back({output, expected_values(a, b)});
  auto subject = SessionSubject::make(session, timeline, inputs, 1);
  return check_answer(*subject, session.outputs(), inputs, {});
}

TEST(CheckAnswer, PassesTheExpectedAnswerAndTellsTheLargestDifference) {
  FakeEngine engine{{}};
  const auto answer = check(engine, 0, 1.0F, 2.0005F);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->verdict, Answer::Verdict::Correct);
  EXPECT_EQ(answer->sets, 1u);
  EXPECT_NEAR(answer->largest_difference, 0.0005, 1e-6);
}

TEST(CheckAnswer, FailsAWrongAnswerWithTheOutputAndTheTolerance) {
  FakeEngine engine{{}};
  const auto answer = check(engine, 0, 1.0F, 2.1F);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::WrongAnswer);
  EXPECT_THAT(answer.error().message, HasSubstr("output y"));
  EXPECT_THAT(answer.error().hint, HasSubstr("rtol 0.001"));
}

TEST(CheckAnswer, RefusesAnExpectationForAnOutputThatIsNotThere) {
  FakeEngine engine{{}};
  const auto beyond = check(engine, 7, 1.0F, 2.0F);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, ErrorCode::BadInput);
}

TEST(CheckAnswer, NamesAModelThatIsRandomByDesignInsteadOfFailingIt) {
  FakeEngine engine{{}};
  engine.answer = [](std::size_t submit) { return std::array{static_cast<float>(submit), 2.0F}; };
  const auto answer = check(engine, 0, 5.0F, 2.0F);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->verdict, Answer::Verdict::Random);
  EXPECT_EQ(answer->random_output, "y");
  EXPECT_EQ(answer->random_difference, 1.0);
}

TEST(CheckAnswer, SaysUncheckedWhenNothingIsExpected) {
  FakeEngine engine{{}};
  auto session = engine.load();
  device::HostTimeline timeline;
  Inputs inputs;
  inputs.sets.resize(1);
  auto subject = SessionSubject::make(session, timeline, inputs, 1);
  const auto answer = check_answer(*subject, session.outputs(), inputs, {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict, Answer::Verdict::Unchecked);
}

}  // namespace
}  // namespace lapse::measuring
