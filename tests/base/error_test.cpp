#include <gtest/gtest.h>

#include <lapse/base/error.hpp>
#include <memory>
#include <set>

namespace lapse {
namespace {

constexpr ErrorCode kCodes[] = {ErrorCode::BadUse,      ErrorCode::BadInput,       ErrorCode::BadModel,       ErrorCode::Unsupported,
                                ErrorCode::OutOfMemory, ErrorCode::EngineUnusable, ErrorCode::DeviceUnusable, ErrorCode::WrongAnswer,
                                ErrorCode::Interrupted, ErrorCode::Internal,       ErrorCode::NotFound,       ErrorCode::Gone,
                                ErrorCode::Conflict,    ErrorCode::TooLarge,       ErrorCode::Busy,           ErrorCode::Unauthorized,
                                ErrorCode::Forbidden,   ErrorCode::Unavailable,    ErrorCode::Deadline,       ErrorCode::Cancelled};

TEST(ErrorCode, HasTheExitStatusThatTheManualPromises) {
  EXPECT_EQ(exit_status(ErrorCode::BadUse), 2);
  EXPECT_EQ(exit_status(ErrorCode::BadInput), 2);
  EXPECT_EQ(exit_status(ErrorCode::BadModel), 2);
  EXPECT_EQ(exit_status(ErrorCode::EngineUnusable), 3);
  EXPECT_EQ(exit_status(ErrorCode::DeviceUnusable), 3);
  EXPECT_EQ(exit_status(ErrorCode::WrongAnswer), 4);
  EXPECT_EQ(exit_status(ErrorCode::Interrupted), 130);
  EXPECT_EQ(exit_status(ErrorCode::Internal), 70) << "1 is an answer";
}

TEST(ErrorCode, HasANameOfItsOwnAndAnHttpError) {
  std::set<std::string_view> names;
  for (const ErrorCode code : kCodes) {
    EXPECT_TRUE(names.insert(name(code)).second) << name(code);
    EXPECT_GE(http_status(code), 400);
    EXPECT_LT(http_status(code), 600);
  }
  EXPECT_EQ(name(ErrorCode::BadModel), "bad_model");
}

TEST(Fail, MakesAnErrorOfAnyResult) {
  const Result<int> result = fail(ErrorCode::BadInput, "no such file", "look again");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::BadInput);
  EXPECT_EQ(result.error().message, "no such file");
  EXPECT_EQ(result.error().hint, "look again");
}

Result<std::unique_ptr<int>> make(int value) {
  if (value < 0) return fail(ErrorCode::BadInput, "negative");
  return std::make_unique<int>(value);
}

Result<int> sum(int a, int b) {
  LAPSE_TRY(const std::unique_ptr<int> first, make(a));
  LAPSE_TRY(const std::unique_ptr<int> second, make(b));
  return *first + *second;
}

TEST(LapseTry, MovesTheValueOut) { EXPECT_EQ(sum(2, 3), 5); }

TEST(LapseTry, ReturnsTheFirstError) {
  const auto result = sum(2, -1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "negative");
}

Result<void> require(bool condition) {
  if (!condition) return fail(ErrorCode::Internal, "condition");
  return {};
}

Result<int> checked(bool condition) {
  LAPSE_CHECK(require(condition));
  return 1;
}

TEST(LapseCheck, GoesOnOrReturnsTheError) {
  EXPECT_EQ(checked(true), 1);
  const auto result = checked(false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "condition");
}

}  // namespace
}  // namespace lapse
