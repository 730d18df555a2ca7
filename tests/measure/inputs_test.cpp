#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <lapse/measure/inputs.hpp>
#include <lapse/tensor/npy.hpp>

#include "measure/fake_engine.hpp"

namespace lapse::measuring {
namespace {

using ::testing::HasSubstr;

const FakeEngine::Input kImage{"image", LAPSE_FLOAT32, {1, 3, 8, 8}, {}};
const FakeEngine::Input kDynamicImage{"image", LAPSE_FLOAT32, {-1, 3, -1, -1}, {"batch", "", "height", "width"}};
const FakeEngine::Input kTokens{"ids", LAPSE_INT64, {-1, -1}, {"batch", "sequence"}};
const FakeEngine::Input kMystery{"x", LAPSE_FLOAT32, {1, -1}, {"", "frobs"}};
const FakeEngine::Input kShapeless{"x", LAPSE_DTYPE_UNKNOWN, {}, {}, false};

/// With an image of this shape; others may run the same test.
struct NpyFile {
  explicit NpyFile(const tensor::Shape& shape)
      : path(std::filesystem::path(::testing::TempDir()) / ("lapse_inputs_test_" + std::to_string(getpid()) + ".npy")) {
    EXPECT_TRUE(tensor::write_npy(path, tensor::Tensor::make(tensor::DType::Float32, shape)->view()));
  }
  ~NpyFile() { std::filesystem::remove(path); }
  NpyFile(const NpyFile&) = delete;
  NpyFile& operator=(const NpyFile&) = delete;

  const std::filesystem::path path;
};

Result<Inputs> prepare(std::vector<FakeEngine::Input> ports, const InputRequest& request) {
  FakeEngine engine{std::move(ports)};
  const auto session = engine.load();
  return prepare_inputs(session, request);
}

void expect_refused(const Result<Inputs>& inputs, const std::string& part, const std::string& hint_part) {
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.error().code, ErrorCode::BadInput);
  EXPECT_THAT(inputs.error().message, HasSubstr(part));
  EXPECT_THAT(inputs.error().hint, HasSubstr(hint_part));
}

TEST(PrepareInputs, TakesAFixedShapeFromTheModelWithoutAWord) {
  const auto inputs = prepare({kImage}, {});
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->sets.at(0).inputs.at(0).shape(), (tensor::Shape{1, 3, 8, 8}));
  EXPECT_EQ(inputs->batch, 1);
  EXPECT_TRUE(inputs->warnings.empty());
}

TEST(PrepareInputs, NamesEveryDynamicDimensionThatItAssumes) {
  const auto inputs = prepare({kDynamicImage, kTokens}, {});
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->sets[0].inputs[0].shape(), (tensor::Shape{1, 3, 224, 224}));
  EXPECT_EQ(inputs->sets[0].inputs[1].shape(), (tensor::Shape{1, 128}));
  const auto assumed = std::ranges::count(inputs->warnings, "dynamic_dimension", &Warning::code);
  EXPECT_EQ(assumed, 3);  // height, width, sequence; a batch of 1 is in every report
  EXPECT_EQ(std::ranges::count(inputs->warnings, "integer_fill", &Warning::code), 1);
}

TEST(PrepareInputs, NamesADimensionThatInputsShareOnce) {
  FakeEngine::Input mask = kTokens;
  mask.name = "mask";
  const auto inputs = prepare({kTokens, mask}, {});
  ASSERT_TRUE(inputs);
  const auto found = std::ranges::find(inputs->warnings, "dynamic_dimension", &Warning::code);
  ASSERT_NE(found, inputs->warnings.end());
  EXPECT_EQ(found->facts, (std::map<std::string, std::string>{{"dimension", "sequence"}, {"inputs", "ids, mask"}, {"size", "128"}}));
}

TEST(PrepareInputs, AsksForADynamicDimensionThatHasNoSensibleDefault) {
  expect_refused(prepare({kMystery}, {}), "dimension 1", "--dim frobs=N");
  InputRequest request;
  request.dimensions["frobs"] = 5;
  const auto inputs = prepare({kMystery}, request);
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->sets[0].inputs[0].shape(), (tensor::Shape{1, 5}));
}

TEST(PrepareInputs, AsksForTheShapeThatATorchScriptFileDoesNotCarry) {
  expect_refused(prepare({kShapeless}, {}), "does not tell the shape of its input 'x'", "--shape x=1x3x224x224");
  InputRequest request;
  request.shapes["x"] = {tensor::DType::Int64, {4, 16}};
  const auto inputs = prepare({kShapeless}, request);
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->sets[0].inputs[0].dtype(), tensor::DType::Int64);
  EXPECT_EQ(inputs->batch, 4);
}

TEST(PrepareInputs, SetsTheBatchWhereTheModelLeavesItOpenAndRefusesItWhereNot) {
  InputRequest request;
  request.batch = 8;
  const auto inputs = prepare({kDynamicImage}, request);
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->sets[0].inputs[0].shape()[0], 8);
  EXPECT_EQ(inputs->batch, 8);
  expect_refused(prepare({kImage}, request), "fixes the batch of its input image at 1", "leave --batch out");
}

TEST(PrepareInputs, TakesTheBatchFromTheShapesThatAreBoundAndRefusesAnotherOne) {
  const NpyFile file({5, 3, 8, 8});
  InputRequest request;
  request.files["image"] = file.path;
  const auto inputs = prepare({kDynamicImage}, request);
  ASSERT_TRUE(inputs) << inputs.error().message;
  EXPECT_EQ(inputs->batch, 5);
  request.batch = 8;
  expect_refused(prepare({kDynamicImage}, request), "--batch 8 contradicts the input image", "leave --batch out");
}

TEST(PrepareInputs, LeavesInputsWithAFixedFirstDimensionOutOfTheBatch) {
  InputRequest request;
  request.batch = 8;
  const auto inputs = prepare({kDynamicImage, {"scale", LAPSE_FLOAT32, {1}, {}}}, request);
  ASSERT_TRUE(inputs) << inputs.error().message;
  EXPECT_EQ(inputs->sets[0].inputs[1].shape(), (tensor::Shape{1}));
  EXPECT_EQ(inputs->batch, 8);
}

TEST(PrepareInputs, SaysThatAnInputWithoutDimensionsWasTakenForAScalar) {
  const auto inputs = prepare({{"x", LAPSE_FLOAT32, {}, {}}}, {});
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->warnings.at(0).code, "scalar_input");
}

TEST(PrepareInputs, RefusesAnExpectedOutputOfAnUnknownName) {
  for (const std::string name : {"nosuch", "0abc", ""}) {
    InputRequest request;
    request.expected[name] = "/nowhere.npy";
    expect_refused(prepare({kImage}, request), "no output of that name", "the outputs are: y");
  }
}

TEST(PrepareInputs, RefusesAnUnknownNameAndTellsTheRightOnes) {
  InputRequest request;
  request.shapes["img"] = {std::nullopt, {1, 3, 8, 8}};
  expect_refused(prepare({kImage}, request), "img", "image float32 1x3x8x8");
  InputRequest fill;
  fill.fills["img"] = {};
  expect_refused(prepare({kImage}, fill), "--fill img", "image");
  InputRequest dimension;
  dimension.dimensions["depth"] = 3;
  expect_refused(prepare({kImage}, dimension), "--dim depth", "image");
}

TEST(PrepareInputs, RefusesAWrongRankSizeOrType) {
  InputRequest rank;
  rank.shapes["image"] = {std::nullopt, {3, 8, 8}};
  expect_refused(prepare({kImage}, rank), "3x8x8 does not fit", "1x3x8x8");
  InputRequest size;
  size.shapes["image"] = {std::nullopt, {1, 4, 8, 8}};
  expect_refused(prepare({kImage}, size), "1x4x8x8 does not fit", "1x3x8x8");
  InputRequest type;
  type.shapes["image"] = {tensor::DType::Int64, {1, 3, 8, 8}};
  expect_refused(prepare({kImage}, type), "is float32, not int64", "image");
}

TEST(PrepareInputs, RefusesAFillThatTheTypeCannotHold) {
  InputRequest request;
  request.fills["ids"] = *tensor::parse_fill("normal");
  expect_refused(prepare({kTokens}, request), "input ids", "");
}

TEST(PrepareInputs, MakesTheSameDataFromTheSameSeedAndOtherDataForEverySetAndInput) {
  InputRequest request;
  request.rotate = 2;
  const auto first = prepare({kImage, kImage}, request), second = prepare({kImage, kImage}, request);
  ASSERT_TRUE(first && second);
  const auto same = [](const tensor::Tensor& a, const tensor::Tensor& b) { return std::memcmp(a.data(), b.data(), a.bytes()) == 0; };
  EXPECT_TRUE(same(first->sets[1].inputs[1], second->sets[1].inputs[1]));
  EXPECT_FALSE(same(first->sets[0].inputs[0], first->sets[1].inputs[0]));
  EXPECT_FALSE(same(first->sets[0].inputs[0], first->sets[0].inputs[1]));
  EXPECT_FALSE(same(first->sets[0].inputs[1], first->sets[1].inputs[0]));
}

TEST(PrepareInputs, SaysThatAShapeTooLargeDoesNotFitIntoMemory) {
  InputRequest request;
  request.shapes["x"] = {std::nullopt, {1'000'000, 1'000'000, 1'000}};
  const auto inputs = prepare({kShapeless}, request);
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.error().code, ErrorCode::OutOfMemory);
  EXPECT_THAT(inputs.error().message, HasSubstr("input x"));
}

TEST(PrepareInputs, ReadsAFileAndHoldsItAgainstTheModel) {
  const NpyFile file({1, 3, 8, 8});
  InputRequest request;
  request.files["image"] = file.path;
  const auto inputs = prepare({kImage}, request);
  ASSERT_TRUE(inputs) << inputs.error().message;
  EXPECT_EQ(inputs->sources[0], file.path.string());

  InputRequest wrong;
  wrong.files["ids"] = file.path;
  expect_refused(prepare({kTokens}, wrong), "does not fit the input ids", "ids int64");
}

}  // namespace
}  // namespace lapse::measuring
