#include <gtest/gtest.h>

#include <lapse/base/time.hpp>

namespace lapse {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("7ns"), Duration(7ns));
  EXPECT_EQ(parse_duration("50us"), Duration(50us));
  EXPECT_EQ(parse_duration("50\u00B5s"), Duration(50us));  // micro sign
  EXPECT_EQ(parse_duration("50\u03BCs"), Duration(50us));  // Greek mu
  EXPECT_EQ(parse_duration("5ms"), Duration(5ms));
  EXPECT_EQ(parse_duration("30s"), Duration(30s));
  EXPECT_EQ(parse_duration("2m"), Duration(2min));
  EXPECT_EQ(parse_duration("2min"), Duration(2min));
  EXPECT_EQ(parse_duration("1h"), Duration(1h));
}

TEST(ParseDuration, ReadsDecimals) {
  EXPECT_EQ(parse_duration("1.5s"), Duration(1500ms));
  EXPECT_EQ(parse_duration("0.1us"), Duration(100ns));
  EXPECT_EQ(parse_duration("1e3ms"), Duration(1s));
}

TEST(ParseDuration, NeedsNoUnitForZeroOnly) {
  EXPECT_EQ(parse_duration("0"), Duration(0));
  EXPECT_EQ(parse_duration("0s"), Duration(0));
  EXPECT_FALSE(parse_duration("5"));
}

TEST(ParseDuration, RefusesEverythingElseWithAHint) {
  for (const char* text :
       {"", "s", "fast", "-1s", "+1s", "1 s", " 1s", "1s ", "1sec", "1S", "nan", "nans", "infs", "1e400s", "300000000h", "0x1s"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, ErrorCode::BadInput) << text;
    EXPECT_NE(duration.error().message.find(text), std::string::npos);
    EXPECT_FALSE(duration.error().hint.empty());
  }
}

TEST(NanosecondsOf, KnowsUnitsAndNoOtherWord) {
  EXPECT_EQ(nanoseconds_of("ms"), 1e6);
  EXPECT_EQ(nanoseconds_of("h"), 3600e9);
  EXPECT_FALSE(nanoseconds_of(""));
  EXPECT_FALSE(nanoseconds_of("MS"));
}

TEST(FormatDuration, GivesFourFiguresAndTheUnitThatFits) {
  EXPECT_EQ(format_nanoseconds(0.0), "0.000 ns");
  EXPECT_EQ(format_nanoseconds(12.34), "12.34 ns");
  EXPECT_EQ(format_nanoseconds(410.0), "410.0 ns");
  EXPECT_EQ(format_nanoseconds(5'053'000.0), "5.053 ms");
  EXPECT_EQ(format(1200ms), "1.200 s");
  EXPECT_EQ(format_nanoseconds(-2'500.0), "-2.500 µs");
  EXPECT_EQ(format_nanoseconds(3.6e12), "3600.0 s");
}

TEST(FormatDuration, GoesToTheNextUnitWhenRoundingReachesIt) {
  EXPECT_EQ(format_nanoseconds(999.94), "999.9 ns");
  EXPECT_EQ(format_nanoseconds(999.96), "1.000 µs");
  EXPECT_EQ(format_nanoseconds(999.96e3), "1.000 ms");
  EXPECT_EQ(format_nanoseconds(999.96e6), "1.000 s");
}

}  // namespace
}  // namespace lapse
