#include "http_case.hpp"

#include <sys/resource.h>

using namespace std::chrono_literals;
using namespace lapse;
using namespace lapse::serve;
using namespace lapse::serve::http;
using namespace lapse::serve::http::testing;

namespace {

class Http : public HttpTest {};

std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string put(const std::string& path, const std::string& fields, const std::string& body = {}) {
  return "PUT " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

TEST_F(Http, AnswersWithTheServersHeaders) {
  on("GET", "/hello", hello);
  start();
  Client client = connect();
  const Answer answer = client.ask(get("/hello"));
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Content-Length"), "5");
  EXPECT_EQ(answer.header("Connection"), "keep-alive");
  EXPECT_EQ(answer.header("Server"), "lapse");
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.header("Content-Type"), "text/plain");
  EXPECT_EQ(answer.header("Date").size(), 29u);
  EXPECT_EQ(client.ask(get("/hello")).body, "hello") << "the connection is kept";
}

TEST_F(Http, AHandlersHeadersCantSmuggleOthers) {
  on("GET", "/x", [](Exchange& exchange) -> net::awaitable<void> {
    Response response = text("");
    response.headers = {{"Cache-Control", "max-age=1"}, {"Location", "/a\r\nSet-Cookie: b=1"}};
    co_await exchange.respond(std::move(response));
  });
  start();
  const Answer answer = ask(get("/x"));
  EXPECT_EQ(answer.header("Cache-Control"), "max-age=1");
  EXPECT_EQ(answer.header("Location"), "/a  Set-Cookie: b=1");
  EXPECT_EQ(answer.header("Set-Cookie"), "");
}

TEST_F(Http, ReadsABodyOfKnownLengthAndInChunks) {
  on("PUT", "/echo", echo(1 << 20));
  start();
  const std::string large(300'000, 'x');
  Client client = connect();
  EXPECT_TRUE(client.ask(put("/echo", "Content-Length: 300000\r\n", large)).body == large);
  EXPECT_EQ(client.ask(put("/echo", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n")).body, "abcde");
  EXPECT_TRUE(client.ask(put("/echo", "Transfer-Encoding: chunked\r\n", "493e0\r\n" + large + "\r\n0\r\n\r\n")).body == large);
  EXPECT_EQ(client.ask(put("/echo", "")).body, "");
  EXPECT_EQ(client.ask(put("/echo", "Content-Length: 0\r\n")).body, "");
}

TEST_F(Http, ReadsARequestThatComesByteByByte) {
  on("PUT", "/echo", echo(100));
  start();
  Client client = connect();
  for (const std::string& request :
       {put("/echo", "Content-Length: 3\r\n", "abc"), put("/echo", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")}) {
    for (const char c : "\r\n" + request) ASSERT_TRUE(client.send({&c, 1}));
    EXPECT_EQ(client.answer().body, "abc");
  }
}

TEST_F(Http, AnswersPipelinedRequestsInOrder) {
  on("PUT", "/echo", echo(100));
  on("GET", "/hello", hello);
  start();
  Client client = connect();
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += put("/echo", "Content-Length: 2\r\n", std::to_string(10 + i)) + get("/hello");
  client.send(requests);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.answer().body, std::to_string(10 + i));
    EXPECT_EQ(client.answer().body, "hello");
  }
}

TEST_F(Http, AnswersHeadAndOptionsWithoutABody) {
  on("GET", "/hello", hello);
  start();
  Client client = connect();
  client.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\nOPTIONS /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answer head = client.answer(true);
  EXPECT_EQ(head.status, 200u);
  EXPECT_EQ(head.header("Content-Length"), "5");
  const Answer allowed = client.answer();
  EXPECT_EQ(allowed.status, 204u);
  EXPECT_EQ(allowed.header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed.header("Content-Length"), "");
  EXPECT_EQ(client.ask(get("/hello")).body, "hello") << "no byte of a body stands between";
}

TEST_F(Http, SaysWhatIsNotThereAndWhatIsAllowed) {
  on("GET", "/hello", hello);
  start();
  EXPECT_EQ(ask(get("/nothing")).status, 404u);
  const Answer wrong = ask("POST /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(wrong.status, 405u);
  EXPECT_EQ(wrong.header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(wrong.header("Content-Type"), "application/json");
  EXPECT_EQ(ask("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n").status, 405u);
}

TEST_F(Http, SpeaksWithHttp10AsItExpects) {
  on("GET", "/hello", hello);
  start();
  Client once = connect();
  once.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(once.rest().ends_with("\r\n\r\nhello"));
  Client kept = connect();
  EXPECT_EQ(kept.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"), "keep-alive");
  EXPECT_EQ(kept.ask("GET /hello HTTP/1.0\r\n\r\n").header("Connection"), "close");
  EXPECT_EQ(kept.rest(), "");
}

TEST_F(Http, RefusesWhatIsMalformedAndCloses) {
  on("PUT", "/echo", echo(100));
  start();
  const std::vector<std::pair<std::string, unsigned>> cases{
      {put("/echo", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nGET /secret HTTP/1.1\r\n\r\n"), 400},
      {put("/echo", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
      {put("/echo", "Transfer-Encoding: gzip, chunked\r\n"), 501},
      {put("/echo", "Transfer-Encoding: chunked\r\n", "x\r\n"), 400},
      {put("/echo", "Content-Encoding: gzip\r\nContent-Length: 3\r\n", "abc"), 415},
      {"PUT /echo HTTP/1.1\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"\x16\x03\x01\x02", 400},
      {"GET /hello HTTP/1.1\nHost: h\n\n", 400},
      {get("/" + std::string(9000, 'a')), 414},
      {"GET /" + std::string(20'000, 'a'), 414},
      {get("/", "X: " + std::string(20'000, 'a') + "\r\n"), 431},
      {"GET http://h/echo HTTP/1.1\r\nHost: h\r\n\r\n", 400},
  };
  for (const auto& [request, status] : cases) {
    Client client = connect();
    client.send(request);
    const Answer answer = client.answer();
    EXPECT_EQ(answer.status, status) << request.substr(0, 100);
    EXPECT_EQ(answer.header("Connection"), "close") << request.substr(0, 100);
    EXPECT_TRUE(answer.body.starts_with("{\"error\":\"")) << answer.body;
    EXPECT_EQ(client.rest(), "") << "nothing that follows is taken for a request";
  }
}

TEST_F(Http, RefusesALargeBodyBeforeItComesAndTheClientHearsIt) {
  on("PUT", "/echo", echo(1000));
  start();
  Client client = connect();
  // The client sends everything before it listens: it must get the answer nevertheless, not a reset.
  std::thread sender{[&] {
    client.send(put("/echo", "Content-Length: 100000000\r\n"));
    const std::string piece(1 << 20, 'x');
    for (int i = 0; i < 8 && client.send(piece); ++i) {
    }
  }};
  sender.join();
  EXPECT_EQ(client.answer().status, 413u);
  Client chunks = connect();
  chunks.send(put("/echo", "Transfer-Encoding: chunked\r\n", "10000\r\n" + std::string(65536, 'x')));
  EXPECT_EQ(chunks.answer().status, 413u);
}

TEST_F(Http, ReadsAwayASmallBodyThatNobodyWantedAndGoesOn) {
  on("PUT", "/no", hello);
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(put("/no", "Content-Length: 60000\r\n", std::string(60'000, 'x'))).header("Connection"), "keep-alive");
  EXPECT_EQ(client.ask(put("/no", "Content-Length: 3\r\n", "GET")).body, "hello");
  EXPECT_EQ(client.ask(put("/no", "Content-Length: 70000\r\n", std::string(70'000, 'x'))).header("Connection"), "close");
  EXPECT_EQ(client.rest(), "");
}

TEST_F(Http, SaysContinueOnlyWhenTheHandlerWantsTheBody) {
  on("PUT", "/echo", echo(10));
  on("PUT", "/no", hello);
  start();
  Client wanted = connect();
  EXPECT_EQ(wanted.ask(put("/echo", "Expect: 100-continue\r\nContent-Length: 3\r\n")).status, 100u);
  EXPECT_EQ(wanted.ask("abc").body, "abc");
  EXPECT_EQ(wanted.ask(put("/echo", "Expect: 100-continue\r\nContent-Length: 3\r\n", "abc")).body, "abc") << "it came unasked";
  EXPECT_EQ(ask(put("/echo", "Expect: 100-continue\r\nContent-Length: 11\r\n")).status, 413u);
  Client unwanted = connect();
  EXPECT_EQ(unwanted.ask(put("/no", "Expect: 100-continue\r\nContent-Length: 3\r\n")).header("Connection"), "close");
}

TEST_F(Http, BodiesShareABoundedMemory) {
  options.max_body_memory = 1000;
  std::atomic<int> holding{0};
  std::promise<void> release;
  on("PUT", "/echo", echo(2000));
  on("PUT", "/hold", [&](Exchange& exchange) -> net::awaitable<void> {
    auto body = co_await exchange.body(2000);
    ++holding;
    co_await lapse::serve::on(pool, [&] {
      release.get_future().wait();
      return 0;
    });
    co_await exchange.respond(text("held"));
  });
  start();
  Client holder = connect();
  holder.send(put("/hold", "Content-Length: 600\r\n", std::string(600, 'x')));
  while (holding == 0) std::this_thread::yield();
  const Answer busy = ask(put("/echo", "Content-Length: 600\r\n", std::string(600, 'x')));
  EXPECT_EQ(busy.status, 429u);
  EXPECT_EQ(busy.header("Retry-After"), "1");
  EXPECT_EQ(ask(put("/echo", "Transfer-Encoding: chunked\r\n", "258\r\n" + std::string(600, 'x') + "\r\n0\r\n\r\n")).status, 429u);
  EXPECT_EQ(ask(put("/echo", "Content-Length: 400\r\n", std::string(400, 'x'))).status, 200u);
  release.set_value();
  EXPECT_EQ(holder.answer().body, "held");
  EXPECT_EQ(ask(put("/echo", "Content-Length: 1000\r\n", std::string(1000, 'x'))).status, 200u) << "given back";
}

TEST_F(Http, WhatABodyIsReadIntoIsCountedToo) {
  options.max_body_memory = 1000;
  on("PUT", "/read", [](Exchange& exchange) -> net::awaitable<void> {
    auto body = co_await exchange.body(1000);
    BodyShare memory = exchange.share();
    const auto room = memory.grow(4 * body.value_or("").size());
    Response response = room ? text("read") : refuse(room.error());
    co_await exchange.respond(std::move(response));
  });
  start();
  EXPECT_EQ(ask(put("/read", "Content-Length: 201\r\n", std::string(201, 'x'))).status, 429u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(put("/read", "Content-Length: 200\r\n", std::string(200, 'x'))).status, 200u) << "given back";
  }
}

TEST_F(Http, ABodyThatIsOnlyAnnouncedKeepsNobodyOut) {
  options.max_body_memory = 300'000;
  std::atomic<bool> announced{false};
  const Handler taking = echo(300'000);
  on("PUT", "/echo", [&](Exchange& exchange) {
    announced = true;
    return taking(exchange);
  });
  start();
  Client announcer = connect();
  announcer.send(put("/echo", "Content-Length: 300000\r\n"));
  while (!announced) std::this_thread::yield();
  EXPECT_EQ(ask(put("/echo", "Content-Length: 30000\r\n", std::string(30'000, 'x'))).status, 200u);

  announcer.send(std::string(290'000, 'x'));
  unsigned status = 100;  // once these have come there is no room, which others hear before they have sent anything
  while (status == 100) status = ask(put("/echo", "Content-Length: 30000\r\nExpect: 100-continue\r\n")).status;
  EXPECT_EQ(status, 429u);
  announcer.send(std::string(10'000, 'x'));
  EXPECT_EQ(announcer.answer().status, 200u);
}

TEST_F(Http, AClientThatDawdlesIsTold) {
  options.header_timeout = 50ms;
  options.body_timeout = 50ms;
  on("PUT", "/echo", echo(1000));
  start();
  Client header = connect();
  EXPECT_EQ(header.ask("GET / HT").status, 408u);
  EXPECT_EQ(header.rest(), "");
  EXPECT_EQ(ask(put("/echo", "Content-Length: 3\r\n", "ab")).status, 408u);
  EXPECT_EQ(ask(put("/echo", "Transfer-Encoding: chunked\r\n", "3\r\nab")).status, 408u);
}

TEST_F(Http, AClientThatAsksNothingHearsNothing) {
  options.idle_timeout = 50ms;
  start();
  EXPECT_EQ(connect().rest(), "");
}

TEST_F(Http, AnEndlessTrickleIsNoBody) {
  options.body_timeout = 300ms;
  on("PUT", "/echo", echo(1 << 20));
  start();
  Client client = connect();
  client.send(put("/echo", "Content-Length: 1000000\r\n"));
  while (client.send("x")) {  // a byte long before every time-out, but not a thousand a second
    pollfd waiting{-1, 0, 0};
    ::poll(&waiting, 1, 20);
    char byte = 0;
    if (client.peek(byte)) break;
  }
  EXPECT_EQ(client.answer().status, 408u);
}

TEST_F(Http, ABodyThatBreaksOffIsNoBody) {
  std::promise<ErrorCode> seen;
  on("PUT", "/x", [&](Exchange& exchange) -> net::awaitable<void> {
    auto body = co_await exchange.body(1000);
    seen.set_value(body ? ErrorCode::Internal : body.error().code);
    co_await exchange.respond(text(""));
  });
  start();
  Client client = connect();
  client.send(put("/x", "Content-Length: 10\r\n", "abc"));
  client.close();
  EXPECT_EQ(seen.get_future().get(), ErrorCode::BadInput);
}

TEST_F(Http, TellsOneConnectionTooManyAndKeepsTheOthers) {
  options.max_connections = 2;
  on("GET", "/hello", hello);
  start();
  Client first = connect(), second = connect();
  EXPECT_EQ(first.ask(get("/hello")).status, 200u);
  EXPECT_EQ(second.ask(get("/hello")).status, 200u);
  Client third = connect();
  third.send(get("/hello"));
  const Answer answer = third.answer();
  EXPECT_EQ(answer.status, 503u);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_EQ(first.ask(get("/hello")).status, 200u);
  second.close();
  third.close();
  while (connections() > 1) std::this_thread::yield();
  EXPECT_EQ(ask(get("/hello")).status, 200u);
}

TEST_F(Http, GoesOnAcceptingWhenDescriptorsRanOut) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UndefinedBehaviorSanitizer needs descriptors to look at an object, and takes it for a broken one without";
#endif
  on("GET", "/hello", hello);
  start();
  Client client;
  const int next = ::dup(0);  // the lowest that is free
  ::close(next);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(next);
  ::setrlimit(RLIMIT_NOFILE, &low);
  client.connect(server->port());
  while (troubles_so_far().empty()) std::this_thread::yield();
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(client.ask(get("/hello")).status, 200u);
  EXPECT_EQ(troubles_so_far().at(0), "connections can't be accepted: Too many open files");
}

TEST_F(Http, AHandlersExceptionIsA500AndOneLine) {
  on("GET", "/bad_alloc", [](Exchange&) -> net::awaitable<void> {
    throw std::bad_alloc{};
    co_return;
  });
  on("GET", "/odd", [](Exchange&) -> net::awaitable<void> {
    throw 7;
    co_return;
  });
  on("GET", "/on_the_pool", [this](Exchange&) -> net::awaitable<void> {
    co_await lapse::serve::on(pool, []() -> int { throw std::runtime_error{"on the pool"}; });
  });
  on("GET", "/silent", [](Exchange&) -> net::awaitable<void> { co_return; });
  on("GET", "/late", [](Exchange& exchange) -> net::awaitable<void> {
    co_await exchange.respond(text("answered"));
    throw std::runtime_error{"too late"};
  });
  start();
  for (const char* path : {"/bad_alloc", "/odd", "/on_the_pool", "/silent"}) {
    const Answer answer = ask(get(path));
    EXPECT_EQ(answer.status, 500u) << path;
    EXPECT_EQ(answer.header("Connection"), "close") << path;
  }
  EXPECT_EQ(ask(get("/late")).body, "answered");
  stop();
  EXPECT_EQ(troubles.size(), 4u);
  EXPECT_EQ(troubles.at(0), "GET /bad_alloc: std::bad_alloc");
}

TEST_F(Http, TheGateAndTheBookkeeperSeeEveryRequest) {
  std::vector<std::string> book;
  hooks.gate = [](Exchange& exchange, const Router::Match& match) -> std::optional<Response> {
    if (exchange.header("X-No")) return refuse(Error{ErrorCode::Forbidden, "no", {}});
    exchange.identify("ann of " + match.pattern);
    return {};
  };
  hooks.done = [&](const Exchange& exchange, const Router::Match& match, unsigned status, Duration) {
    book.push_back(std::string{exchange.method()} + " " + match.pattern + " " + std::to_string(status));
  };
  on("GET", "/a/{b}", [](Exchange& exchange) -> net::awaitable<void> {
    EXPECT_EQ(exchange.remote(), "127.0.0.1");
    co_await exchange.respond(text(exchange.owner() + exchange.part("b") + exchange.part("none") + exchange.query("q").value_or("-")));
  });
  start();
  EXPECT_EQ(ask(get("/a/%41?q=%42")).body, "ann of /a/{b}AB");
  EXPECT_EQ(ask(get("/a/x", "X-No: 1\r\n")).status, 403u);
  EXPECT_EQ(ask(get("/nothing")).status, 404u);
  EXPECT_EQ(ask("nonsense\r\n\r\n").status, 400u);
  stop();
  EXPECT_EQ(book, (std::vector<std::string>{"GET /a/{b} 200", "GET /a/{b} 403", "GET  404", "  400"}));
}

TEST_F(Http, StopsGracefully) {
  std::promise<void> entered, release;
  on("GET", "/hello", hello);
  on("GET", "/slow", [&](Exchange& exchange) -> net::awaitable<void> {
    entered.set_value();
    co_await lapse::serve::on(pool, [&] {
      release.get_future().wait();
      return 0;
    });
    co_await exchange.respond(text("done"));
  });
  start();
  Client idle = connect(), busy = connect();
  EXPECT_EQ(idle.ask(get("/hello")).status, 200u);
  busy.send(get("/slow"));
  entered.get_future().wait();
  in_loop([this] {
    server->stop_accepting();
    return 0;
  });
  EXPECT_EQ(idle.rest(), "") << "closed, having nothing to do";
  EXPECT_FALSE(connect().connected());
  release.set_value();
  const Answer answer = busy.answer();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST(Listen, SaysWhyItCantBeListenedOn) {
  lapse::serve::net::io_context context;
  lapse::serve::net::thread_pool pool{1};
  const Router router;
  ServerOptions options;
  options.port = 0;
  auto first = Server::listen(context, pool, options, router, {});
  ASSERT_TRUE(first);
  options.port = (*first)->port();
  const auto second = Server::listen(context, pool, options, router, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::BadUse);
  options.address = "not an address";
  EXPECT_EQ(Server::listen(context, pool, options, router, {}).error().code, ErrorCode::BadUse);
}

}  // namespace
