// Bytes of a client, through the very path that a connection takes: a socket pair instead of TCP is all the difference. Whatever comes, the
// conversation ends, the server's memory is given back, and every answer is one.

#include <lapse/serve/http/conversation.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <lapse/serve/http/range.hpp>
#include <lapse/serve/http/text.hpp>
#include <string>

using namespace lapse;
using namespace lapse::serve;
using namespace lapse::serve::http;

namespace {

void check(bool good) {
  if (!good) std::abort();
}

net::awaitable<void> echo(Exchange& exchange) {
  auto body = co_await exchange.body(4096);
  Response response = body ? Response{} : refuse(body.error());
  if (body) response.body = std::move(*body);
  co_await exchange.respond(std::move(response));
}

net::awaitable<void> ignore(Exchange& exchange) {
  check(!has_control(exchange.part("part")) && !exchange.part("part").empty());
  Response response;
  response.body = exchange.query("q").value_or("");
  co_await exchange.respond(std::move(response));
}

net::awaitable<void> stream(Exchange& exchange) {
  Response response;
  if (co_await exchange.begin_stream(std::move(response))) co_await exchange.write("data: x\n\n");
}

const Router& router() {
  static const Router made = [] {
    Router router;
    router.add("PUT", "/echo", echo);
    router.add("GET", "/a/{part}", ignore);
    router.add("POST", "/a/{part}/b", ignore);
    router.add("GET", "/s", stream);
    return router;
  }();
  return made;
}

void converse_with(std::string_view bytes) {
  int ends[2];
  check(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const int room = 1 << 20;
  ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  net::io_context context{1};
  static net::thread_pool pool{1};
  ServerOptions options;
  options.max_body_memory = 1 << 20;
  auto common = std::make_shared<Common>(Common{pool, options, router(), {}, {}, BodyBudget{options.max_body_memory, 0}});
  net::ip::tcp::socket socket{context};
  socket.assign(net::ip::tcp::v4(), ends[0]);
  auto wire = std::make_shared<Wire>(common->wires, std::move(socket));
  net::co_spawn(context, converse(common, std::move(wire), "fuzz"), [](std::exception_ptr failure) { check(!failure); });

  // In two pieces, so that every state is also met at the end of what has come.
  const std::size_t half = bytes.size() / 2;
  check(::send(ends[1], bytes.data(), half, MSG_NOSIGNAL) == static_cast<ssize_t>(half));
  context.poll();
  ::send(ends[1], bytes.data() + half, bytes.size() - half, MSG_NOSIGNAL);  // which fails where the first half was refused
  ::shutdown(ends[1], SHUT_WR);
  std::string answers;
  char buffer[65536];
  for (int turns = 0; common->wires.size() > 0; ++turns) {
    check(turns < 10'000);
    context.poll();
    const auto count = ::recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) answers.append(buffer, static_cast<std::size_t>(count));
  }
  for (ssize_t count = 0; (count = ::recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT)) > 0;) {
    answers.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(ends[1]);
  check(answers.empty() || answers.starts_with("HTTP/1.1 "));
  check(common->bodies.used == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 100'000)};
  converse_with(bytes);

  if (const auto range = parse_range(bytes, 1000)) {
    if (const auto* part = std::get_if<ByteRange>(&*range))
      check(part->size > 0 && part->offset < 1000 && part->size <= 1000 - part->offset);
  }
  const auto match = router().find("GET", bytes);
  for (const auto& [name, part] : match.parts) check(!part.empty() && !has_control(part) && part.find('/') == std::string::npos);
  cookie(bytes, "lapse_session");
  parse_query(bytes);
  return 0;
}
