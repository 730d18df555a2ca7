#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <lapse/host/memory.hpp>
#include <lapse/tensor/tensor.hpp>
#include <utility>

namespace lapse::tensor {
namespace {

TEST(Shape, IsWrittenAndReadWithAnX) {
  EXPECT_EQ(to_string(Shape{1, 3, 224, 224}), "1x3x224x224");
  EXPECT_EQ(to_string(Shape{}), "scalar");
  EXPECT_EQ(to_string(Shape{-1, 3, 0}), "?x3x0");
  EXPECT_EQ(parse_shape("1x3x224x224"), (Shape{1, 3, 224, 224}));
  EXPECT_EQ(parse_shape("1,3,0"), (Shape{1, 3, 0}));
  EXPECT_EQ(parse_shape("7"), Shape{7});
  EXPECT_EQ(parse_shape("scalar"), Shape{});
}

TEST(Shape, RefusesEverythingElse) {
  for (const char* text :
       {"", "x", "1x", "x1", "1xx2", "1X2", "-1x3", "1x-3", "+1", "1 x 2", "1x2y", "?", "9223372036854775808", "scalarx1", "1.5"}) {
    const auto shape = parse_shape(text);
    ASSERT_FALSE(shape) << text;
    EXPECT_EQ(shape.error().code, ErrorCode::BadInput) << text;
  }
}

TEST(ByteSize, IsTheProductOfTheDimensions) {
  EXPECT_EQ(element_count(Shape{}), 1U);
  EXPECT_EQ(element_count(Shape{2, 3, 4}), 24U);
  EXPECT_EQ(byte_size(DType::Float32, Shape{1, 3, 224, 224}), 602'112U);
  EXPECT_EQ(element_count(Shape{std::int64_t{1} << 62, 1'000'000, 0}), 0U);
}

TEST(ByteSize, RefusesOverflowAndNegativeDimensions) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 32;
  EXPECT_EQ(element_count(Shape{kHuge, kHuge}).error().code, ErrorCode::OutOfMemory);
  EXPECT_EQ(element_count(Shape{2, -1}).error().code, ErrorCode::BadInput);
  EXPECT_EQ(element_count(Shape{0, -1}).error().code, ErrorCode::BadInput);
  EXPECT_TRUE(element_count(Shape{kHuge, kHuge / 4}));
  EXPECT_EQ(byte_size(DType::Float64, Shape{kHuge, kHuge / 4}).error().code, ErrorCode::OutOfMemory);
  EXPECT_EQ(byte_size(DType::Unknown, Shape{1}).error().code, ErrorCode::BadInput);
}

TEST(Tensor, IsZeroedAndAligned) {
  const auto tensor = Tensor::make(DType::Float32, {3, 5});
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->bytes(), 60U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor->data()) % 64, 0U);
  EXPECT_TRUE(std::all_of(tensor->data(), tensor->data() + 60, [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_EQ(tensor->view().dtype, DType::Float32);
  EXPECT_EQ(tensor->view().shape.size(), 2U);
  EXPECT_EQ(tensor->view().data, tensor->data());
}

TEST(Tensor, MayBeAScalarOrEmpty) {
  EXPECT_EQ(Tensor::make(DType::Int64, {})->bytes(), 8U);
  const auto empty = Tensor::make(DType::Int64, {4, 0});
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->bytes(), 0U);
  EXPECT_NE(empty->data(), nullptr);
}

TEST(Tensor, RefusesMoreMemoryThanIsLeft) {
  const auto tensor = Tensor::make(DType::Float32, {1 << 20, 1 << 20, 1 << 10});  // 4 EiB
  ASSERT_FALSE(tensor);
  EXPECT_EQ(tensor.error().code, ErrorCode::OutOfMemory);
  EXPECT_NE(tensor.error().message.find("1048576x1048576x1024"), std::string::npos);
  EXPECT_EQ(tensor.error().message.ends_with("are left"), host::available().has_value()) << tensor.error().message;
  EXPECT_FALSE(tensor.error().hint.empty());
}

TEST(Tensor, KeepsItsMemoryWhenItMoves) {
  Tensor tensor = Tensor::make(DType::UInt8, {2}).value();
  const std::byte* const data = tensor.data();
  const Tensor moved = std::move(tensor);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(moved.shape(), Shape{2});
}

}  // namespace
}  // namespace lapse::tensor
