#include <gtest/gtest.h>

#include <lapse/serve/http/text.hpp>

using namespace lapse::serve::http;
using namespace std::string_literals;
using Parameters = std::vector<std::pair<std::string, std::string>>;

namespace {

TEST(PercentDecode, DecodesTwoDigitsAndNothingElse) {
  EXPECT_EQ(percent_decode("a%20b%2f%C3%a9"), "a b/\xc3\xa9");
  EXPECT_EQ(percent_decode("%00"), "\0"s);
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b%2B", Plus::Space), "a b+");
  EXPECT_EQ(percent_decode("%252e"), "%2e") << "once, not twice";
  for (const char* bad : {"%", "%4", "%g0", "%0g", "a%", "% 1", "%-1"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(Query, KeepsOrderAndDecodesBothSides) {
  EXPECT_EQ(parse_query("a=1&b=&c&a=2&%61=x+y"), (Parameters{{"a", "1"}, {"b", ""}, {"c", ""}, {"a", "2"}, {"a", "x y"}}));
  EXPECT_EQ(parse_query("url=http%3A%2F%2Fh%2F%3Fa%3Db&="), (Parameters{{"url", "http://h/?a=b"}, {"", ""}}));
  EXPECT_EQ(parse_query(""), Parameters{});
  EXPECT_EQ(parse_query("&&"), Parameters{});
}

TEST(Query, WithABadEscapeOrAControlCharacterIsRefused) {
  for (const char* bad : {"a=%", "%zz=1", "a=%00", "a=%0d%0aX:y", "%7f=1"}) EXPECT_FALSE(parse_query(bad)) << bad;
}

TEST(EntityTag, IsListedByItselfWeaklyOrByAStar) {
  for (const char* list : {"\"a\"", "*", "W/\"a\"", "\"b\", \"a\"", " \"b\",W/\"a\" ", ",,\"a\""})
    EXPECT_TRUE(lists_tag(list, "\"a\"")) << list;
  for (const char* list : {"", ",", "a", "\"b\"", "\"a", "\"aa\"", "w/\"a\"", "**"}) EXPECT_FALSE(lists_tag(list, "\"a\"")) << list;
}

TEST(Cookie, IsFoundByItsWholeName) {
  EXPECT_EQ(cookie("a=1; lapse_session=abc.def; b=2", "lapse_session"), "abc.def");
  EXPECT_EQ(cookie("xlapse_session=1", "lapse_session"), std::nullopt);
  EXPECT_EQ(cookie("lapse_session=\"q\"", "lapse_session"), "q");
  EXPECT_EQ(cookie("s=;t", "s"), "");
  EXPECT_EQ(cookie("s=a=b", "s"), "a=b");
  EXPECT_EQ(cookie("s=first; s=second", "s"), "first");
  for (const char* none : {"", ";", "=", "s", ";;s;;", "\""}) EXPECT_EQ(cookie(none, "s"), std::nullopt) << none;
}

}  // namespace
