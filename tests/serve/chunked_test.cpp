#include <gtest/gtest.h>

#include <lapse/serve/http/chunked.hpp>

using namespace lapse::serve::http;

namespace {

// Fed in pieces of every size, the outcome is the same: the body, and what is left of the input; nothing: malformed or not complete.
std::optional<std::pair<std::string, std::string>> decode(const std::string& input) {
  std::optional<std::pair<std::string, std::string>> whole;
  for (std::size_t piece = 1; piece <= input.size(); ++piece) {
    ChunkedDecoder decoder;
    std::string body;
    std::size_t at = 0;
    bool bad = false;
    while (at < input.size() && !decoder.done() && !bad) {
      const auto taken = decoder.feed(std::string_view{input}.substr(at, piece), body);
      bad = !taken;
      if (taken) at += *taken;
    }
    std::optional<std::pair<std::string, std::string>> outcome;
    if (!bad && decoder.done()) outcome = std::pair{body, input.substr(at)};
    if (piece == 1) whole = outcome;
    EXPECT_EQ(outcome, whole) << "in pieces of " << piece << ": " << input;
  }
  return whole;
}

TEST(Chunked, IsDecodedUpToItsEnd) {
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\n\r\n"), (std::pair<std::string, std::string>{"abc", ""}));
  EXPECT_EQ(decode("A\r\n0123456789\r\n00002\r\n\r\n\r\n0\r\n\r\nGET"), (std::pair<std::string, std::string>{"0123456789\r\n", "GET"}));
  EXPECT_EQ(decode("0\r\n\r\n"), (std::pair<std::string, std::string>{"", ""}));
}

TEST(Chunked, ReadsOverExtensionsAndTrailers) {
  EXPECT_EQ(decode("1;a=b;c=\"d\"\r\nx\r\n0;e\r\nX: 1\r\nY: 2\r\n\r\nrest"), (std::pair<std::string, std::string>{"x", "rest"}));
}

TEST(Chunked, ThatCouldBeReadInTwoWaysIsMalformed) {
  for (const char* input : {"3\nabc\r\n0\r\n\r\n",         // bare line feeds
                            "3\r\nabc\n0\r\n\r\n",         //
                            "3\rabc\r\n0\r\n\r\n",         //
                            "3\r\nabcd\r\n0\r\n\r\n",      // more data than announced
                            "4\r\nabc\r\n0\r\n\r\n",       // less
                            "\r\nabc\r\n0\r\n\r\n",        // no size
                            ";x\r\nabc\r\n0\r\n\r\n",      //
                            "0x3\r\nabc\r\n0\r\n\r\n",     // no plain hexadecimal number
                            "-3\r\nabc\r\n0\r\n\r\n",      //
                            "+3\r\nabc\r\n0\r\n\r\n",      //
                            " 3\r\nabc\r\n0\r\n\r\n",      //
                            "3 \r\nabc\r\n0\r\n\r\n",      //
                            "3;a\nb\r\nabc\r\n0\r\n\r\n",  // a line feed in an extension
                            "ffffffffffffffff\r\nabc",     // larger than anything
                            "10000000000000003\r\nabc\r\n0\r\n\r\n", "0000000000000003\r\nabc\r\n0\r\n\r\n",
                            "0\r\nX: 1\n\r\n\r\n",  // bare line feed in the trailers
                            "0\r\nX: \1\r\n\r\n"}) {
    EXPECT_EQ(decode(input), std::nullopt) << input;
  }
}

TEST(Chunked, ThatDoesNotEndIsNotDone) {
  for (const char* input : {"3\r\nabc\r\n", "3\r\nab", "0\r\n", "0\r\n\r", "0\r\nX: 1\r\n"})
    EXPECT_EQ(decode(input), std::nullopt) << input;
}

TEST(Chunked, ExtensionsAndTrailersAreBounded) {
  std::string body;
  EXPECT_FALSE(ChunkedDecoder{}.feed("1;" + std::string(9000, 'x'), body));
  EXPECT_FALSE(ChunkedDecoder{}.feed("0\r\nX: " + std::string(9000, 'x'), body));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "1;" + std::string(90, 'x') + "\r\na\r\n";
  EXPECT_FALSE(ChunkedDecoder{}.feed(many, body)) << "together, not each";
}

}  // namespace
