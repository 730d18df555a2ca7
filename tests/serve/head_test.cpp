#include <gtest/gtest.h>

#include <lapse/serve/http/head.hpp>

using namespace lapse::serve::http;
using namespace std::string_literals;

namespace {

// Status of the refusal; 200: read.
unsigned status(const std::string& bytes) {
  Head head;
  const auto refused = parse_head(bytes, head);
  if (refused) {
    EXPECT_FALSE(refused->message.empty());
  }
  return refused ? refused->status : 200;
}

unsigned status_with(const std::string& fields) { return status("POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"); }

TEST(Head, IsTakenApart) {
  Head head;
  ASSERT_FALSE(parse_head(
      "PUT /v2/jobs/a%20b?model=m&x=%2F HTTP/1.1\r\nHost: h:80\r\nAccept:\r\nContent-length:  12 \r\nEXPECT: 100-Continue\r\n\r\n", head));
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.path, "/v2/jobs/a%20b");
  EXPECT_EQ(head.query, "model=m&x=%2F");
  EXPECT_EQ(head.parameters[1].second, "/");
  EXPECT_EQ(head.length, 12u);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.field("hOST"), "h:80");
  EXPECT_EQ(head.field("accept"), "");
  EXPECT_EQ(head.field("absent"), std::nullopt);
}

TEST(Head, KeepsTheConnectionByTheVersionsOwnRule) {
  const auto keeps = [](const std::string& line, const std::string& fields) {
    Head head;
    EXPECT_FALSE(parse_head(line + "\r\nHost: h\r\n" + fields + "\r\n", head));
    return head.keep_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1", ""));
  EXPECT_FALSE(keeps("GET / HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1", "Connection: foo, Close\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0", ""));
  EXPECT_TRUE(keeps("GET / HTTP/1.0", "Connection: keep-alive\r\n"));
}

TEST(Head, SaysOnceHowLongTheBodyIs) {
  EXPECT_EQ(status_with("Content-Length: 0\r\n"), 200u);
  EXPECT_EQ(status_with("Transfer-Encoding: chunked\r\n"), 200u);
  EXPECT_EQ(status_with("Transfer-Encoding: Chunked\r\n"), 200u);
  for (const char* fields : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                             "Content-Length: 5\r\nContent-Length: 5\r\n",
                             "Content-Length: 5\r\nContent-Length: 6\r\n",
                             "Content-Length: 5, 5\r\n",
                             "Content-Length: 5,6\r\n",
                             "Content-Length: +5\r\n",
                             "Content-Length: -5\r\n",
                             "Content-Length: 0x5\r\n",
                             "Content-Length: 5 5\r\n",
                             "Content-Length: 5;\r\n",
                             "Content-Length:\r\n",
                             "Content-Length: 18446744073709551616\r\n",
                             "Content-Length: five\r\n",
                             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
                             "Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
                             "Content-Length : 5\r\n",
                             "Transfer-Encoding : chunked\r\n",
                             "Content-Length\t: 5\r\n",
                             " Content-Length: 5\r\n",
                             "X: y\r\n Content-Length: 5\r\n",
                             "X: y\r\n\tfolded\r\n",
                             "Transfer-Encoding: chunked\r\n \r\n",
                             "Content-Length: 5\rX: y\r\n",
                             "Content-Length: 5\nX: y\r\n",
                             "Content-Length: 5\0\r\n"}) {
    EXPECT_EQ(status_with(fields), 400u) << fields;
  }
  EXPECT_EQ(status_with("Content-Length: 5\0\r\n"s), 400u);
  for (const char* fields : {"Transfer-Encoding: gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, gzip\r\n",
                             "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: \"chunked\"\r\n",
                             "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: chunked;q=1\r\n",
                             "Transfer-Encoding:\r\n", "Transfer-Encoding: \vchunked\r\n"}) {
    const auto got = status_with(fields);
    EXPECT_TRUE(got == 501 || got == 400) << fields << got;
  }
  EXPECT_EQ(status("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400u);
}

TEST(Head, NamesExactlyOneHost) {
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), 400u);
  EXPECT_EQ(status("GET / HTTP/1.0\r\n\r\n"), 200u);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n"), 200u);
  for (const char* host : {"", "a b", "a,b", "a/b", "user@a", "a?b", "a\\b", "<a>"}) {
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n"), 400u) << host;
  }
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), 400u);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400u);
}

TEST(Head, GivesOnceWhatCountsOnce) {
  EXPECT_EQ(status_with("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400u);
  EXPECT_EQ(status_with("Cookie: lapse_session=a\r\nCookie: lapse_session=b\r\n"), 400u);
  EXPECT_EQ(status_with("Origin: a\r\norigin: b\r\n"), 400u);
  EXPECT_EQ(status_with("Accept: a\r\nAccept: b\r\n"), 200u);
}

TEST(Head, TargetIsAPath) {
  const auto with = [](const std::string& target) { return status("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"); };
  EXPECT_EQ(with("/a/b?c=d"), 200u);
  EXPECT_EQ(with("*"), 200u);
  EXPECT_EQ(with("/" + std::string(kMaxTarget - 1, 'a')), 200u);
  EXPECT_EQ(with("/" + std::string(kMaxTarget, 'a')), 414u);
  for (const char* target : {"http://h/", "http://other/", "h:80", "a", "?a", "/a#b", "/\xc3\xa9", "/a\\b", "/?a=%", "/?a=%00",
                             "/?a=%0d%0ax", "/a\tb", "/a b", "/\x7f"}) {
    EXPECT_EQ(with(target), 400u) << target;
  }
}

TEST(Head, OfMethodsThatAreNotServed) {
  EXPECT_EQ(status("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"), 405u);
  EXPECT_EQ(status("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"), 405u);
  EXPECT_EQ(status("G@T / HTTP/1.1\r\nHost: h\r\n\r\n"), 400u);
  EXPECT_EQ(status(" GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400u);
}

TEST(Head, OfOtherVersionsIsRefused) {
  EXPECT_EQ(status("PRI * HTTP/2.0\r\n\r\n"), 505u);
  for (const char* line : {"GET / HTTP/0.9", "GET / HTTP/1.2", "GET / HTTP/11.1", "GET / http/1.1", "GET / HTTP/1.1 ", "GET /", "GET",
                           "GET  / HTTP/1.1", "GET /  HTTP/1.1"}) {
    const auto got = status(std::string{line} + "\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(got == 505 || got == 400) << line << ": " << got;
  }
}

TEST(Head, OfACodingOrExpectationThatIsNotServed) {
  EXPECT_EQ(status_with("Content-Encoding: identity\r\n"), 200u);
  EXPECT_EQ(status_with("Content-Encoding: gzip\r\n"), 415u);
  EXPECT_EQ(status_with("Content-Encoding: identity, br\r\n"), 415u);
  EXPECT_EQ(status_with("Expect: 200-ok\r\n"), 417u);
}

TEST(Head, WithoutHopeIsKnownBeforeItsEnd) {
  EXPECT_TRUE(hopeless("\x16\x03\x01"));
  EXPECT_TRUE(hopeless("GET / HTTP/1.1\nHost"));
  EXPECT_TRUE(hopeless("\n"));
  EXPECT_FALSE(hopeless(""));
  EXPECT_FALSE(hopeless("GET / HTTP/1.1\r\nHos"));
}

}  // namespace
