#include <gtest/gtest.h>

#include <lapse/tensor/compare.hpp>
#include <limits>

#include "tensor/bytes.hpp"

namespace lapse::tensor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Tensor floats(const std::vector<float>& elements) {
  return tensor_of(DType::Float32, {static_cast<std::int64_t>(elements.size())}, elements);
}

TEST(Difference, IsNothingWithinTheTolerance) {
  const Tensor expected = floats({100.0F, 0.0F, -100.0F});
  EXPECT_FALSE(difference(floats({100.09F, 0.000009F, -99.91F}).view(), expected.view(), {}));
}

TEST(Difference, AddsTheRelativeToTheAbsoluteTolerance) {
  const Tensor expected = floats({100.0F});
  const Tensor got = floats({101.25F});
  EXPECT_TRUE(difference(got.view(), expected.view(), {.relative = 0.01, .absolute = 0.0}));
  EXPECT_TRUE(difference(got.view(), expected.view(), {.relative = 0.0, .absolute = 0.5}));
  EXPECT_FALSE(difference(got.view(), expected.view(), {.relative = 0.01, .absolute = 0.5}));
}

TEST(Difference, MeasuresTheToleranceByTheExpectedSide) {
  EXPECT_FALSE(difference(floats({1.0F}).view(), floats({2.0F}).view(), {.relative = 0.5, .absolute = 0.0}));
  EXPECT_TRUE(difference(floats({2.0F}).view(), floats({1.0F}).view(), {.relative = 0.5, .absolute = 0.0}));
}

TEST(Difference, SaysHowManyAndWhere) {
  const Tensor expected = tensor_of(DType::Float32, {2, 2}, std::vector{1.0F, 2.0F, 3.0F, 4.0F});
  const Tensor got = tensor_of(DType::Float32, {2, 2}, std::vector{1.0F, 2.0F, 3.5F, 6.0F});
  const auto found = difference(got.view(), expected.view(), {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->elements, 2U);
  EXPECT_EQ(found->largest_absolute, 2.0);
  EXPECT_EQ(found->what, "2 of 4 elements differ, at most by 2; the first is [1,0]: 3.5 instead of 3");
}

TEST(Difference, TakesNanForNanAndAnInfinityForTheSame) {
  const Tensor expected = floats({kNan, kInfinity, -kInfinity});
  EXPECT_FALSE(difference(expected.view(), expected.view(), {}));
  const auto found = difference(floats({1.0F, 1.0F, kInfinity}).view(), expected.view(), {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->elements, 3U);
  EXPECT_EQ(found->largest_absolute, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(difference(floats({kNan}).view(), floats({1.0F}).view(), {}));
}

TEST(Difference, WantsIntegersAndBoolsEqual) {
  constexpr std::int64_t kLarge = std::int64_t{1} << 60;  // its neighbour is the same double
  const Tolerance generous{.relative = 1.0, .absolute = 10.0};
  const auto found = difference(tensor_of(DType::Int64, {1}, std::vector{kLarge + 1}).view(),
                                tensor_of(DType::Int64, {1}, std::vector{kLarge}).view(), generous);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->largest_absolute, 1.0);
  const Tensor yes = tensor_of(DType::Bool, {1}, std::vector<std::uint8_t>{1});
  const Tensor no = tensor_of(DType::Bool, {1}, std::vector<std::uint8_t>{0});
  EXPECT_TRUE(difference(yes.view(), no.view(), generous));
  EXPECT_FALSE(difference(yes.view(), yes.view(), generous));
}

TEST(Difference, OfSignedExtremesDoesNotOverflow) {
  const Tensor low = tensor_of(DType::Int64, {1}, std::vector{std::numeric_limits<std::int64_t>::min()});
  const Tensor high = tensor_of(DType::Int64, {1}, std::vector{std::numeric_limits<std::int64_t>::max()});
  EXPECT_DOUBLE_EQ(largest_difference(low.view(), high.view()), 0x1p64);
  const Tensor minus = tensor_of(DType::Int8, {1}, std::vector<std::int8_t>{-128});
  const Tensor plus = tensor_of(DType::Int8, {1}, std::vector<std::int8_t>{127});
  EXPECT_EQ(largest_difference(minus.view(), plus.view()), 255.0);
}

TEST(Difference, ReadsHalfPrecision) {
  const Tensor one = tensor_of(DType::Float16, {1}, std::vector<std::uint16_t>{0x3C00});
  const Tensor next = tensor_of(DType::Float16, {1}, std::vector<std::uint16_t>{0x3C01});
  EXPECT_FALSE(difference(next.view(), one.view(), {}));
  EXPECT_EQ(largest_difference(one.view(), next.view()), 0x1p-10);
  const Tensor brain_one = tensor_of(DType::BFloat16, {1}, std::vector<std::uint16_t>{0x3F80});
  const Tensor brain_next = tensor_of(DType::BFloat16, {1}, std::vector<std::uint16_t>{0x3F81});
  EXPECT_TRUE(difference(brain_next.view(), brain_one.view(), {}));
  EXPECT_EQ(largest_difference(brain_one.view(), brain_next.view()), 0x1p-7);
}

TEST(Difference, NamesAnotherTypeOrShape) {
  const Tensor matrix = tensor_of(DType::Float32, {1, 2}, std::vector{1.0F, 2.0F});
  const Tensor row = floats({1.0F, 2.0F});
  const auto shape = difference(row.view(), matrix.view(), {});
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->what, "shape 2 instead of 1x2");
  EXPECT_EQ(shape->elements, 0U);
  const Tensor integers = tensor_of(DType::Int32, {2}, std::vector<std::int32_t>{1, 2});
  EXPECT_EQ(difference(integers.view(), row.view(), {})->what, "type int32 instead of float32");
  EXPECT_EQ(largest_difference(integers.view(), row.view()), std::numeric_limits<double>::infinity());
}

TEST(Difference, OfEmptyTensorsIsNothing) {
  EXPECT_FALSE(difference(floats({}).view(), floats({}).view(), {}));
  EXPECT_EQ(largest_difference(floats({}).view(), floats({}).view()), 0.0);
}

TEST(CountNonFinite, CountsInFloatingTypesOnly) {
  EXPECT_EQ(count_non_finite(floats({1.0F, kNan, kInfinity, -kInfinity}).view()), 3U);
  EXPECT_EQ(count_non_finite(tensor_of(DType::Float16, {3}, std::vector<std::uint16_t>{0x7C00, 0x7E00, 0x3C00}).view()), 2U);
  EXPECT_EQ(count_non_finite(tensor_of(DType::UInt16, {2}, std::vector<std::uint16_t>{0x7C00, 0x7E00}).view()), 0U);
}

}  // namespace
}  // namespace lapse::tensor
