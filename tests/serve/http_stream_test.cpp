#include "http_case.hpp"

#include <cstring>

using namespace lapse;
using namespace lapse::serve;
using namespace lapse::serve::http;
using namespace lapse::serve::http::testing;

namespace {

class HttpStream : public HttpTest {};

constexpr const char* kGet = "GET /events HTTP/1.1\r\nHost: h\r\n\r\n";

// Waits without end, as one that has nothing to say, until the client goes.
net::awaitable<void> until_gone(Exchange& exchange) {
  net::steady_timer never{co_await net::this_coro::executor, std::chrono::steady_clock::time_point::max()};
  exchange.on_gone([&never] { never.cancel(); });
  try {
    co_await never.async_wait(net::use_awaitable);
  } catch (const boost::system::system_error&) {
  }
}

TEST_F(HttpStream, SendsEveryWriteAtOnce) {
  std::promise<void> seen;
  on("GET", "/events", [&](Exchange& exchange) -> net::awaitable<void> {
    Response response;
    response.content_type = "text/event-stream";
    EXPECT_TRUE(co_await exchange.begin_stream(std::move(response)));
    EXPECT_TRUE(co_await exchange.write("data: 1\n\n"));
    co_await lapse::serve::on(pool, [&] {
      seen.get_future().wait();
      return 0;
    });
    EXPECT_TRUE(co_await exchange.write(""));
    EXPECT_TRUE(co_await exchange.write("data: 2\n\n"));
  });
  on("GET", "/hello", hello);
  start();
  Client client = connect();
  client.send(kGet);
  ASSERT_TRUE(client.wait_for("9\r\ndata: 1\n\n\r\n")) << "before the second is written";
  EXPECT_NE(client.received().find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(client.received().find("Content-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_EQ(client.received().find("Content-Length"), std::string::npos);
  seen.set_value();
  ASSERT_TRUE(client.wait_for("9\r\ndata: 2\n\n\r\n0\r\n\r\n"));
  client.received().clear();
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n").body, "hello") << "the connection can be used again";
}

TEST_F(HttpStream, ToHttp10EndsWithTheConnectionAndToHeadHasNoBody) {
  on("GET", "/events", [](Exchange& exchange) -> net::awaitable<void> {
    const bool wanted = co_await exchange.begin_stream({});
    if (wanted) co_await exchange.write("one");
  });
  start();
  Client old = connect();
  old.send("GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string all = old.rest();
  EXPECT_TRUE(all.ends_with("\r\n\r\none")) << all;
  EXPECT_NE(all.find("Connection: close"), std::string::npos);
  Client head = connect();
  head.send("HEAD /events HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.rest().ends_with("\r\n\r\n"));
}

TEST_F(HttpStream, NoticesThatTheClientHasGoneThoughNobodyWrites) {
  std::promise<bool> gone;
  on("GET", "/events", [&](Exchange& exchange) -> net::awaitable<void> {
    co_await exchange.begin_stream({});
    co_await until_gone(exchange);
    gone.set_value(true);
  });
  start();
  Client client = connect();
  client.send(kGet);
  client.wait_for("\r\n\r\n");
  client.close();
  EXPECT_TRUE(gone.get_future().get());
}

TEST_F(HttpStream, NoticesItBehindPipelinedBytesTooAndDoesNotTakeThoseForIt) {
  std::promise<unsigned> status;
  std::promise<void> entered;
  std::atomic<bool> noticed{false};
  hooks.done = [&](const Exchange&, const Router::Match&, unsigned sent, Duration) { status.set_value(sent); };
  on("GET", "/events", [&](Exchange& exchange) -> net::awaitable<void> {
    entered.set_value();
    co_await until_gone(exchange);
    noticed = true;
  });
  start();
  Client client = connect();
  client.send(std::string{kGet} + kGet);
  entered.get_future().wait();
  // Two of the server's ticks pass with bytes that wait to be read: no reason to think that the client has gone.
  for (int i = 0; i < 2; ++i) tick();
  EXPECT_FALSE(noticed);
  client.close();
  EXPECT_EQ(status.get_future().get(), 0u) << "nobody was there to be answered";
  EXPECT_TRUE(noticed);
}

TEST_F(HttpStream, TheWatchEndsWithTheExchange) {
  std::atomic<int> fired{0};
  on("GET", "/events", [&](Exchange& exchange) -> net::awaitable<void> {
    exchange.on_gone([&fired] { ++fired; });
    co_await exchange.respond(text("answered"));
  });
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(kGet).body, "answered");
  client.close();
  while (connections() > 0) std::this_thread::yield();
  for (int i = 0; i < 2; ++i) tick();
  EXPECT_EQ(fired, 0);
}

TEST_F(HttpStream, AClosedServerTellsItsStreams) {
  on("GET", "/events", [&](Exchange& exchange) -> net::awaitable<void> {
    co_await exchange.begin_stream({});
    co_await until_gone(exchange);
    EXPECT_FALSE(co_await exchange.write("x"));
  });
  start();
  Client client = connect();
  client.send(kGet);
  ASSERT_TRUE(client.wait_for("\r\n\r\n"));
  stop();  // comes back only when the stream has ended
}

TEST_F(HttpStream, WritesAsFastAsTheClientReadsAndStopsWhenItGoes) {
  std::promise<std::size_t> written;
  on("GET", "/events", [&](Exchange& exchange) -> net::awaitable<void> {
    co_await exchange.begin_stream({});
    const std::string piece(1 << 20, 'x');
    std::size_t count = 0;
    while (count < 1000 && co_await exchange.write(piece)) ++count;
    written.set_value(count);
  });
  start();
  Client client{server->port(), 4096};
  client.send(kGet);
  client.wait_for("\r\n\r\n");
  client.close();
  EXPECT_LT(written.get_future().get(), 100u) << "a socket's buffers hold a few megabytes";
}

TEST_F(HttpStream, OfAHandlerThatFailsHasNoEnd) {
  on("GET", "/events", [](Exchange& exchange) -> net::awaitable<void> {
    co_await exchange.begin_stream({});
    co_await exchange.write("one");
    throw std::runtime_error{"in the middle"};
  });
  start();
  Client client = connect();
  client.send(kGet);
  EXPECT_FALSE(client.rest().ends_with("0\r\n\r\n"));
}

class Bytes final : public jobs::BlobReader {
 public:
  Bytes(std::string bytes, std::uint64_t readable) : bytes_(std::move(bytes)), readable_(readable) {}
  std::uint64_t size() const noexcept override { return bytes_.size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) const override {
    if (offset >= readable_) return fail(ErrorCode::Unavailable, "the disk is gone");
    const std::size_t count = std::min<std::size_t>(into.size(), bytes_.size() - offset);
    std::memcpy(into.data(), bytes_.data() + offset, count);
    return count;
  }

 private:
  std::string bytes_;
  std::uint64_t readable_;
};

TEST_F(HttpStream, ABlobIsSentInPiecesAndInPart) {
  std::string bytes;
  for (int i = 0; bytes.size() < 1'000'000; ++i) bytes += std::to_string(i);
  bytes.resize(1'000'000);
  const auto blob = std::make_shared<Bytes>(bytes, UINT64_MAX);
  const auto broken = std::make_shared<Bytes>(bytes, 300'000);
  const auto unreadable = std::make_shared<Bytes>(bytes, 0);
  on("GET", "/whole", [&](Exchange& exchange) -> net::awaitable<void> { co_await exchange.respond_blob({}, blob, 0, 1'000'000); });
  on("GET", "/part", [&](Exchange& exchange) -> net::awaitable<void> {
    Response response;
    response.status = 206;
    co_await exchange.respond_blob(response, blob, 5, 300'000);
  });
  on("GET", "/none", [&](Exchange& exchange) -> net::awaitable<void> { co_await exchange.respond_blob({}, blob, 5, 0); });
  on("GET", "/broken", [&](Exchange& exchange) -> net::awaitable<void> { co_await exchange.respond_blob({}, broken, 0, 1'000'000); });
  on("GET", "/unreadable",
     [&](Exchange& exchange) -> net::awaitable<void> { co_await exchange.respond_blob({}, unreadable, 0, 1'000'000); });
  start();
  Client client = connect();
  const auto ask = [&](const std::string& path) { return client.ask("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n"); };
  EXPECT_TRUE(ask("/whole").body == bytes);
  const Answer part = ask("/part");
  EXPECT_EQ(part.status, 206u);
  EXPECT_TRUE(part.body == bytes.substr(5, 300'000));
  EXPECT_EQ(ask("/none").header("Content-Length"), "0");
  client.send("HEAD /whole HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.answer(true).header("Content-Length"), "1000000");
  EXPECT_EQ(ask("/unreadable").status, 503u);
  EXPECT_LT(ask("/broken").body.size(), 1'000'000u) << "cut off, so that nobody takes it for the whole";
  EXPECT_EQ(client.rest(), "");
}

}  // namespace
