#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/tensor/fill.hpp>
#include <numeric>

#include "tensor/bytes.hpp"

namespace lapse::tensor {
namespace {

constexpr std::uint64_t kSeed = 42;

Tensor filled(DType dtype, Shape shape, const Fill& how, std::uint64_t seed = kSeed) {
  Tensor tensor = Tensor::make(dtype, std::move(shape)).value();
  EXPECT_TRUE(fill(tensor, how, seed)) << to_string(how);
  return tensor;
}

/// FNV-1a.
std::uint64_t checksum(const Tensor& tensor) {
  std::uint64_t sum = 1469598103934665603U;
  for (std::size_t i = 0; i < tensor.bytes(); ++i) sum = (sum ^ std::to_integer<std::uint64_t>(tensor.data()[i])) * 1099511628211U;
  return sum;
}

TEST(ParseFill, ReadsWhatToStringWrites) {
  for (const char* text : {"default", "normal", "uniform", "zeros", "ints:0..30521", "ints:-5..-5"}) {
    const auto how = parse_fill(text);
    ASSERT_TRUE(how) << text;
    EXPECT_EQ(to_string(*how), text);
  }
  const auto integers = parse_fill("ints:-3..7");
  ASSERT_TRUE(integers);
  EXPECT_EQ(integers->kind, Fill::Kind::Integers);
  EXPECT_EQ(integers->low, -3);
  EXPECT_EQ(integers->high, 7);
}

TEST(ParseFill, RefusesEverythingElseWithTheList) {
  for (const char* text : {"", "ones", "Normal", "ints", "ints:", "ints:1", "ints:1..", "ints:..5", "ints:5..1", "ints:1..2x", "ints:1...2",
                           "ints:1..99999999999999999999"}) {
    const auto how = parse_fill(text);
    ASSERT_FALSE(how) << text;
    EXPECT_EQ(how.error().code, ErrorCode::BadInput);
    EXPECT_NE(how.error().hint.find("ints:LOW..HIGH"), std::string::npos);
  }
}

TEST(Fill, GivesTheSameBytesOnEveryMachine) {
  // The generator and the formulas, worked out apart to 17 digits; the last bit of the normal values is that of this code.
  const auto normal = values<double>(filled(DType::Float64, {4}, {.kind = Fill::Kind::Normal}));
  EXPECT_EQ(normal, (std::vector<double>{0x1.76999e363cc92p-1, 0x1.4c8a0cdb3e8bap-3, -0x1.450f02bef042cp-1, 0x1.a1efae6a1dd85p-2}));
  EXPECT_EQ(checksum(filled(DType::Float64, {1'000'000}, {.kind = Fill::Kind::Normal}, 7)), 0xFFFB43FA4F91EDE9U);
  const auto uniform = values<float>(filled(DType::Float32, {4}, {.kind = Fill::Kind::Uniform}));
  EXPECT_EQ(uniform, (std::vector<float>{0x1.82a3bep-1F, 0x1.472f1ep-1F, 0x1.81192cp-1F, 0x1.17162p-3F}));
  const auto integers = values<std::int64_t>(filled(DType::Int64, {4}, {.kind = Fill::Kind::Integers, .low = -1000, .high = 1000}));
  EXPECT_EQ(integers, (std::vector<std::int64_t>{511, 278, 505, -728}));
}

TEST(Fill, DependsOnTheSeedOnly) {
  const auto first = values<float>(filled(DType::Float32, {100}, {}, 1));
  EXPECT_EQ(first, values<float>(filled(DType::Float32, {100}, {}, 1)));
  EXPECT_NE(first, values<float>(filled(DType::Float32, {100}, {}, 2)));
}

TEST(Fill, NormalHasTheMomentsAndTailsOfItsDistribution) {
  constexpr std::size_t kCount = 1'000'001;  // odd: the last value is half of a pair
  auto sample = values<double>(filled(DType::Float64, {kCount}, {}));
  const double n = kCount;
  const double mean = std::accumulate(sample.begin(), sample.end(), 0.0) / n;
  double second = 0.0;
  double fourth = 0.0;
  for (const double x : sample) {
    second += x * x / n;
    fourth += x * x * x * x / n;
  }
  // Five standard errors of each.
  EXPECT_NEAR(mean, 0.0, 0.005);
  EXPECT_NEAR(second, 1.0, 0.0071);
  EXPECT_NEAR(fourth, 3.0, 0.049);
  std::sort(sample.begin(), sample.end());
  for (const auto& [z, below] : {std::pair{-1.959964, 0.025}, std::pair{-0.674490, 0.25}, std::pair{0.0, 0.5}, std::pair{1.281552, 0.9}}) {
    const auto count = std::lower_bound(sample.begin(), sample.end(), z) - sample.begin();
    EXPECT_NEAR(static_cast<double>(count) / n, below, 0.0025) << z;
  }
}

TEST(Fill, NormalPairsAreIndependent) {
  const auto sample = values<double>(filled(DType::Float64, {1'000'000}, {}));
  double product = 0.0;
  double product_of_squares = 0.0;
  for (std::size_t i = 0; i < sample.size(); i += 2) {
    product += sample[i] * sample[i + 1] / 500'000;
    product_of_squares += (sample[i] * sample[i] - 1) * (sample[i + 1] * sample[i + 1] - 1) / 500'000;
  }
  EXPECT_NEAR(product, 0.0, 0.0071);
  EXPECT_NEAR(product_of_squares, 0.0, 0.0142);
}

TEST(Fill, UniformStaysBelowOneInEveryFloatingType) {
  for (const DType dtype : {DType::Float16, DType::BFloat16}) {
    const auto bits = values<std::uint16_t>(filled(dtype, {100'000}, {.kind = Fill::Kind::Uniform}));
    double sum = 0.0;
    for (const std::uint16_t each : bits) {
      const float value = dtype == DType::Float16 ? from_float16(each) : from_bfloat16(each);
      ASSERT_TRUE(value >= 0.0F && value < 1.0F) << value;
      sum += static_cast<double>(value);
    }
    EXPECT_NEAR(sum / 100'000, 0.5, 0.01) << name(dtype);
  }
  const auto doubles = values<double>(filled(DType::Float64, {100'000}, {.kind = Fill::Kind::Uniform}));
  EXPECT_LT(*std::max_element(doubles.begin(), doubles.end()), 1.0);
  EXPECT_GE(*std::min_element(doubles.begin(), doubles.end()), 0.0);
}

TEST(Fill, IntegersReachBothEndsEquallyOften) {
  const auto dice = values<std::uint8_t>(filled(DType::UInt8, {60'000}, {.kind = Fill::Kind::Integers, .low = 1, .high = 6}));
  std::array<int, 8> seen{};
  for (const std::uint8_t die : dice) ++seen.at(die);
  EXPECT_EQ(seen[0] + seen[7], 0);
  for (std::size_t face = 1; face <= 6; ++face) EXPECT_NEAR(seen.at(face), 10'000, 460) << face;  // five standard deviations
}

TEST(Fill, IntegersMaySpanTheWholeRange) {
  const Fill all{
      .kind = Fill::Kind::Integers, .low = std::numeric_limits<std::int64_t>::min(), .high = std::numeric_limits<std::int64_t>::max()};
  const auto sample = values<std::int64_t>(filled(DType::Int64, {1000}, all));
  EXPECT_NEAR(static_cast<double>(std::count_if(sample.begin(), sample.end(), [](std::int64_t x) { return x < 0; })), 500, 80);
}

TEST(Fill, DefaultIsASmallIndexOrAFairCoin) {
  for (const DType dtype : {DType::Bool, DType::Int8, DType::UInt8}) {
    const auto sample = values<std::uint8_t>(filled(dtype, {10'000}, {}));
    const auto ones = std::count(sample.begin(), sample.end(), 1);
    EXPECT_EQ(ones + std::count(sample.begin(), sample.end(), 0), 10'000);
    EXPECT_NEAR(static_cast<double>(ones), 5000, 250) << name(dtype);
  }
}

TEST(Fill, ZerosClearWhatWasThere) {
  Tensor tensor = filled(DType::Float32, {10}, {});
  ASSERT_TRUE(fill(tensor, {.kind = Fill::Kind::Zeros}, kSeed));
  EXPECT_EQ(values<float>(tensor), std::vector<float>(10, 0.0F));
}

TEST(Fill, RefusesAKindThatTheTypeCannotHold) {
  const auto refused = [](DType dtype, const Fill& how) {
    Tensor tensor = Tensor::make(dtype, {2}).value();
    const auto result = fill(tensor, how, kSeed);
    return !result && result.error().code == ErrorCode::BadInput;
  };
  EXPECT_TRUE(refused(DType::Int32, {.kind = Fill::Kind::Normal}));
  EXPECT_TRUE(refused(DType::Bool, {.kind = Fill::Kind::Uniform}));
  EXPECT_TRUE(refused(DType::UInt8, {.kind = Fill::Kind::Integers, .low = 0, .high = 256}));
  EXPECT_TRUE(refused(DType::UInt64, {.kind = Fill::Kind::Integers, .low = -1, .high = 1}));
  EXPECT_TRUE(refused(DType::Bool, {.kind = Fill::Kind::Integers, .low = 0, .high = 2}));
  EXPECT_TRUE(refused(DType::Float16, {.kind = Fill::Kind::Integers, .low = 0, .high = 65505}));
  EXPECT_TRUE(refused(DType::Int32, {.kind = Fill::Kind::Integers, .low = 2, .high = 1}));
  EXPECT_FALSE(refused(DType::Int8, {.kind = Fill::Kind::Integers, .low = -128, .high = 127}));
  EXPECT_FALSE(refused(DType::Float32, {.kind = Fill::Kind::Integers, .low = 0, .high = 30'521}));
}

TEST(Fill, LeavesAnEmptyTensorAlone) { EXPECT_EQ(filled(DType::Float32, {0}, {}).bytes(), 0U); }

}  // namespace
}  // namespace lapse::tensor
