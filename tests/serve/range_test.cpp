#include <gtest/gtest.h>

#include <lapse/serve/http/range.hpp>

using namespace lapse::serve::http;
using Answer = std::optional<std::variant<Unsatisfiable, ByteRange>>;

namespace {

TEST(Range, TakesFirstLastOpenAndSuffix) {
  EXPECT_EQ(parse_range("bytes=0-0", 10), (Answer{ByteRange{0, 1}}));
  EXPECT_EQ(parse_range("bytes=2-5", 10), (Answer{ByteRange{2, 4}}));
  EXPECT_EQ(parse_range("bytes=2-", 10), (Answer{ByteRange{2, 8}}));
  EXPECT_EQ(parse_range("bytes=-3", 10), (Answer{ByteRange{7, 3}}));
  EXPECT_EQ(parse_range(" Bytes = 0-1", 10), Answer{});
  EXPECT_EQ(parse_range(" BYTES=0-1 ", 10), (Answer{ByteRange{0, 2}}));
}

TEST(Range, IsCutAtTheEndOfTheDocument) {
  EXPECT_EQ(parse_range("bytes=8-100", 10), (Answer{ByteRange{8, 2}}));
  EXPECT_EQ(parse_range("bytes=-100", 10), (Answer{ByteRange{0, 10}}));
  EXPECT_EQ(parse_range("bytes=5-99999999999999999999999", 10), (Answer{ByteRange{5, 5}}));
}

TEST(Range, OutsideTheDocumentIsUnsatisfiable) {
  EXPECT_EQ(parse_range("bytes=10-", 10), Answer{Unsatisfiable{}});
  EXPECT_EQ(parse_range("bytes=-0", 10), Answer{Unsatisfiable{}});
  EXPECT_EQ(parse_range("bytes=0-0", 0), Answer{Unsatisfiable{}});
  EXPECT_EQ(parse_range("bytes=-1", 0), Answer{Unsatisfiable{}});
  EXPECT_EQ(parse_range("bytes=99999999999999999999999-", 10), Answer{Unsatisfiable{}});
  EXPECT_EQ(parse_range("bytes=18446744073709551615-", UINT64_MAX), Answer{Unsatisfiable{}});
}

TEST(Range, ThatIsNotUnderstoodMeansTheWhole) {
  for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=1-2,4-5", "items=0-1", "bytes=1-2x",
                             "bytes=+1-2", "bytes=1--2"}) {
    EXPECT_EQ(parse_range(header, 10), Answer{}) << header;
  }
}

}  // namespace
