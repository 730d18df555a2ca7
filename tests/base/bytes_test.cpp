#include <gtest/gtest.h>

#include <lapse/base/bytes.hpp>

namespace lapse {
namespace {

TEST(ParseBytes, ReadsBothKindsOfUnits) {
  EXPECT_EQ(parse_bytes("0").value(), 0u);
  EXPECT_EQ(parse_bytes("4096").value(), 4096u);
  EXPECT_EQ(parse_bytes("64MiB").value(), 64u << 20);
  EXPECT_EQ(parse_bytes("1.5 GB").value(), 1'500'000'000u);
  EXPECT_EQ(parse_bytes("2kB").value(), 2000u);
}

TEST(ParseBytes, RefusesWhatIsNone) {
  for (const char* text : {"", "MiB", "-1", "1 mib", "1e3", "nan", "inf", "0x10", "9999999999999TiB", "1 MiB more"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

}  // namespace
}  // namespace lapse
