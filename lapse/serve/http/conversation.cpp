#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <ctime>
#include <lapse/serve/http/conversation.hpp>
#include <lapse/serve/http/reply.hpp>
#include <lapse/serve/http/response.hpp>

namespace lapse::serve::http {
namespace {

constexpr std::chrono::seconds kLinger{5};

SteadyTime in(Duration duration) { return std::chrono::steady_clock::now() + duration; }

// Reads until the empty line; bytes after it stay in the wire's buffer. Refusal::status 0: the client went without a word.
net::awaitable<std::optional<Refusal>> read_head(Common& common, Wire& wire, Head& head) {
  const std::size_t limit = common.options.max_header_bytes;
  const SteadyTime deadline = in(common.options.header_timeout);
  std::size_t searched = 0;
  for (;;) {
    while (wire.buffered().starts_with("\r\n")) {  // some clients send one after a body (RFC 9112, section 2.2)
      wire.consume(2);
    }
    const std::string_view bytes = wire.buffered();
    const auto end = bytes.substr(0, limit).find("\r\n\r\n", searched);
    if (end != std::string_view::npos) {
      auto refused = parse_head(bytes.substr(0, end + 4), head);
      wire.consume(end + 4);
      co_return refused;
    }
    if (bytes != "\r") {
      if (auto refused = hopeless(bytes.substr(0, limit))) co_return refused;
    }
    if (bytes.size() >= limit) {
      if (bytes.find('\n') == std::string_view::npos) co_return Refusal{414, "the request's target is too long", {}};
      co_return Refusal{431, fmt::format("the request's header is longer than {} bytes", limit), {}};
    }
    searched = bytes.size() < 3 ? 0 : bytes.size() - 3;
    switch (co_await wire.fill(limit + 4 - bytes.size(), deadline)) {
      case Wire::Outcome::Data:
        break;
      case Wire::Outcome::Late:
        co_return Refusal{408, "the request's header did not come in time", {}};
      case Wire::Outcome::End:
      case Wire::Outcome::Broken:
        co_return Refusal{0, {}, {}};
    }
  }
}

// Nobody's handler: wrong path, wrong method, OPTIONS.
Response answer_for(const Router::Match& match, std::string_view method) {
  Response response;
  if (match.allowed.empty()) {
    response = problem(404, "there is nothing at this path", "the paths are listed in /openapi.json");
  } else if (method == "OPTIONS") {
    response.status = 204;
  } else {
    response = problem(405, fmt::format("{} is not served at this path", method));
  }
  if (!match.allowed.empty()) response.headers.emplace_back("Allow", fmt::format("{}", fmt::join(match.allowed, ", ")));
  return response;
}

net::awaitable<void> handle(Common& common, Reply& reply) {
  const Router::Match& match = reply.match();
  if (common.hooks.gate) {
    if (auto refused = common.hooks.gate(reply, match)) {
      co_await reply.respond(std::move(*refused));
      co_return;
    }
  }
  if (match.handler != nullptr) {
    co_await (*match.handler)(reply);
  } else {
    co_await reply.respond(answer_for(match, reply.method()));
  }
}

// One request. True: another may follow.
net::awaitable<bool> one_request(Common& common, Wire& wire, const std::string& remote) {
  const SteadyTime began = std::chrono::steady_clock::now();
  Head head;
  auto refused = co_await read_head(common, wire, head);
  if (refused && refused->status == 0) co_return false;
  if (refused) head.keep_alive = false;

  Reply reply{common, wire, std::move(head), remote};
  if (refused) {
    Response response = problem(refused->status, refused->message, refused->hint);
    if (refused->status == 405) response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS");
    co_await reply.respond(std::move(response));
  } else {
    reply.find_route();
    std::string failure;
    try {
      co_await handle(common, reply);
    } catch (const std::exception& error) {
      failure = error.what();
      if (failure.empty()) failure = "an exception without a name";
    } catch (...) {
      failure = "an exception of an unknown type";
    }
    if (!failure.empty()) common.report(fmt::format("{} {}: {}", reply.method(), reply.path(), failure));
    co_await reply.finish(!failure.empty());
  }
  const bool again = co_await reply.leave();
  if (common.hooks.done) common.hooks.done(reply, reply.match(), reply.status(), std::chrono::steady_clock::now() - began);
  co_return again;
}

}  // namespace

net::awaitable<void> converse(std::shared_ptr<Common> common, std::shared_ptr<Wire> wire, std::string remote) {
  const auto executor = co_await net::this_coro::executor;
  while (!common->stopping) {
    if (wire->buffered().empty()) {
      wire->idle(true);
      const auto outcome = co_await wire->fill(common->options.max_header_bytes, in(common->options.idle_timeout));
      wire->idle(false);
      if (outcome != Wire::Outcome::Data) co_return;  // nothing was asked, so nothing is said
    } else {
      co_await net::post(executor, net::use_awaitable);  // who sends many requests at once takes turns with the others
    }
    if (!co_await one_request(*common, *wire, remote)) break;
  }
  if (!wire->closed()) co_await wire->linger(common->stopping ? std::chrono::seconds{1} : kLinger);
}

net::awaitable<void> turn_away(std::shared_ptr<Common> common, std::shared_ptr<Wire> wire) {
  Response response =
      problem(503, fmt::format("{} connections are open already", common->options.max_connections), "try again in a second");
  response.headers.emplace_back("Retry-After", "1");
  const std::string head = head_text(response, Ending::Length, response.body.size(), false, std::time(nullptr));
  if (co_await wire->send({net::buffer(head), net::buffer(response.body), {}})) co_await wire->linger(std::chrono::seconds{1});
}

}  // namespace lapse::serve::http
