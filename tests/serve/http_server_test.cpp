#include "http_case.hpp"

using namespace lapse::serve::http;
using namespace lapse::serve::http::testing;

namespace {

class Http : public HttpTest {};

TEST_F(Http, AnswersWithTheServersHeaders) {
  on("GET", "/hello", hello);
  start();
  Client client = connect();
  const Answer answer = client.ask("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Content-Length"), "5");
  EXPECT_EQ(answer.header("Connection"), "keep-alive");
  EXPECT_EQ(answer.header("Server"), "lapse");
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.header("Content-Type"), "text/plain");
  EXPECT_EQ(answer.header("Date").size(), 29u);
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n").body, "hello") << "the connection is kept";
}

TEST_F(Http, ReadsABodyOfKnownLengthAndInChunks) {
  on("PUT", "/echo", echo(1 << 20));
  start();
  const std::string large(300'000, 'x');
  Client client = connect();
  EXPECT_TRUE(client.ask("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + large).body == large);
  EXPECT_EQ(
      client.ask("PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n").body,
      "abcde");
  EXPECT_EQ(client.ask("PUT /echo HTTP/1.1\r\nHost: h\r\n\r\n").body, "");
}

}  // namespace
