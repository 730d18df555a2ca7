#include <gtest/gtest.h>

#include <lapse/report/quantity.hpp>
#include <limits>

namespace lapse::report {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Quantity, ThousandsAreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Quantity, ARangeNamesItsUnitOnceWhereItCan) {
  EXPECT_EQ(duration_range(5.041e6, 5.066e6), "5.041 … 5.066 ms");
  EXPECT_EQ(duration_range(999.1e3, 1.002e6), "999.1 µs … 1.002 ms");
}

TEST(Quantity, ARoundDurationHasNoZerosBehindThePoint) {
  EXPECT_EQ(round_duration(30e9), "30 s");
  EXPECT_EQ(round_duration(1.5e9), "1.5 s");
  EXPECT_EQ(round_duration(100e6), "100 ms");
}

TEST(Quantity, PercentagesKeepTwoFigures) {
  EXPECT_EQ(percent(0.0025), "0.25 %");
  EXPECT_EQ(percent(0.012), "1.2 %");
  EXPECT_EQ(percent(0.01), "1 %");
  EXPECT_EQ(percent(0.184), "18 %");
  EXPECT_EQ(percent(0.00001), "< 0.01 %");
  EXPECT_EQ(percent(0), "0 %");
  EXPECT_EQ(percent(1e298), "1.0e+300 %");
}

TEST(Quantity, RatesKeepFourFigures) {
  EXPECT_EQ(rate(0.12345), "0.123");
  EXPECT_EQ(rate(19.79), "19.79");
  EXPECT_EQ(rate(197.94), "197.9");
  EXPECT_EQ(rate(12345.4), "12,345");
}

TEST(Quantity, FactorsAreShort) {
  EXPECT_EQ(factor(1.26), "1.3");
  EXPECT_EQ(factor(100.6), "101");
}

TEST(Quantity, MemoryIsInBinaryUnits) {
  EXPECT_EQ(bytes(1536U * 1024U), "1.5 MiB");
  EXPECT_EQ(bytes(150'000'000), "143 MiB");
  EXPECT_EQ(bytes(3ULL << 29U), "1.50 GiB");
}

TEST(Quantity, WhatIsNotFiniteIsAQuestionMark) {
  EXPECT_EQ(duration(kInfinity), "?");
  EXPECT_EQ(duration_range(0, kInfinity), "?");
  EXPECT_EQ(round_duration(kInfinity), "?");
  EXPECT_EQ(percent(kInfinity), "?");
  EXPECT_EQ(rate(kInfinity), "?");
  EXPECT_EQ(factor(std::numeric_limits<double>::quiet_NaN()), "?");
  EXPECT_EQ(tolerance(kInfinity), "?");
}

}  // namespace
}  // namespace lapse::report
