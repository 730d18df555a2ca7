#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <lapse/tensor/dtype.hpp>
#include <limits>

namespace lapse::tensor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(DType, ReadsItsOwnNames) {
  for (int number = 1; number <= static_cast<int>(DType::Float64); ++number) {
    const auto dtype = static_cast<DType>(number);
    EXPECT_EQ(parse_dtype(name(dtype)), dtype) << name(dtype);
    EXPECT_GT(size_of(dtype), 0U);
  }
}

TEST(DType, ReadsShortForms) {
  EXPECT_EQ(parse_dtype("f32"), DType::Float32);
  EXPECT_EQ(parse_dtype("fp16"), DType::Float16);
  EXPECT_EQ(parse_dtype("half"), DType::Float16);
  EXPECT_EQ(parse_dtype("bf16"), DType::BFloat16);
  EXPECT_EQ(parse_dtype("double"), DType::Float64);
  EXPECT_EQ(parse_dtype("i64"), DType::Int64);
  EXPECT_EQ(parse_dtype("long"), DType::Int64);
  EXPECT_EQ(parse_dtype("u8"), DType::UInt8);
}

TEST(DType, RefusesOtherNamesWithTheList) {
  for (const char* text : {"", "unknown", "float128", "FLOAT32", "string"}) {
    const auto dtype = parse_dtype(text);
    ASSERT_FALSE(dtype) << text;
    EXPECT_EQ(dtype.error().code, ErrorCode::BadInput);
    EXPECT_NE(dtype.error().hint.find("bfloat16, float32"), std::string::npos);
  }
}

TEST(DType, KnowsItsSizeAndItsKind) {
  EXPECT_EQ(size_of(DType::Bool), 1U);
  EXPECT_EQ(size_of(DType::BFloat16), 2U);
  EXPECT_EQ(size_of(DType::UInt32), 4U);
  EXPECT_EQ(size_of(DType::Float64), 8U);
  EXPECT_EQ(size_of(DType::Unknown), 0U);
  EXPECT_EQ(name(DType::Unknown), "unknown");
  EXPECT_TRUE(is_floating(DType::Float16));
  EXPECT_FALSE(is_floating(DType::Int8));
  EXPECT_FALSE(is_floating(DType::Bool));
}

TEST(Float16, HasTheValuesOfTheStandard) {
  EXPECT_EQ(from_float16(0x3C00), 1.0F);
  EXPECT_EQ(from_float16(0xC000), -2.0F);
  EXPECT_EQ(from_float16(0x7BFF), 65504.0F);
  EXPECT_EQ(from_float16(0x0400), 0x1p-14F);
  EXPECT_EQ(from_float16(0x0001), 0x1p-24F);
  EXPECT_EQ(from_float16(0x7C00), kInfinity);
  EXPECT_EQ(from_float16(0xFC00), -kInfinity);
  EXPECT_TRUE(std::isnan(from_float16(0x7E01)));
  EXPECT_TRUE(std::signbit(from_float16(0x8000)));
}

TEST(Float16, SurvivesTheWayToFloatAndBack) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = from_float16(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(from_float16(to_float16(value))));
    } else {
      EXPECT_EQ(to_float16(value), half);
    }
  }
}

TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(to_float16(1.0F + 0x1p-11F), 0x3C00);             // half way between 1 and the next: to the even 1
  EXPECT_EQ(to_float16(1.0F + 0x1p-11F + 0x1p-20F), 0x3C01);  // a hair above half way
  EXPECT_EQ(to_float16(1.0F + 0x1p-10F + 0x1p-11F), 0x3C02);  // half way from an odd one: up
  EXPECT_EQ(to_float16(0x1p-25F), 0x0000);                    // half of the smallest
  EXPECT_EQ(to_float16(0x1p-25F + 0x1p-40F), 0x0001);
  EXPECT_EQ(to_float16(0x1.FFFp-15F), 0x0400);  // the carry leaves the subnormals
  EXPECT_EQ(to_float16(65519.0F), 0x7BFF);
  EXPECT_EQ(to_float16(65520.0F), 0x7C00);
  EXPECT_EQ(to_float16(-1e30F), 0xFC00);
  EXPECT_EQ(to_float16(-0.0F), 0x8000);
}

TEST(BFloat16, SurvivesTheWayToFloatAndBack) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto brain = static_cast<std::uint16_t>(bits);
    const float value = from_bfloat16(brain);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(value))));
    } else {
      EXPECT_EQ(to_bfloat16(value), brain);
    }
  }
}

TEST(BFloat16, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(to_bfloat16(1.0F), 0x3F80);
  EXPECT_EQ(to_bfloat16(1.0F + 0x1p-8F), 0x3F80);
  EXPECT_EQ(to_bfloat16(1.0F + 0x1p-7F + 0x1p-8F), 0x3F82);
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(kNan))));
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(std::bit_cast<float>(0x7F800001U)))));  // its mark lies in the bits that are cut off
}

}  // namespace
}  // namespace lapse::tensor
