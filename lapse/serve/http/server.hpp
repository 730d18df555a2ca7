#pragma once
// HTTP/1.1 on one thread: a coroutine a connection, keep-alive, pipelining one at a time.
//
// Refused before a handler sees it: malformed framing (both Content-Length and Transfer-Encoding, more than one Content-Length, anything
// that Beast's parser refuses), a header over max_header_bytes (431), a body over the handler's limit (413), Content-Encoding (415: a
// compressed bomb has nothing to unpack), a slow client (408 after header_timeout, or when a body stalls for body_timeout), more
// connections than max_connections (the newest gets 503 and is closed).

#include <lapse/serve/http/exchange.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace lapse::serve::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8000;  // 0: any that is free
  std::size_t max_connections = 10'000;
  std::size_t max_header_bytes = 16 * 1024;
  std::uint64_t max_body_memory = 1ull << 30;  // bytes of bodies in memory at a time, and of what they are read into
  Duration header_timeout = std::chrono::seconds{10};
  Duration body_timeout = std::chrono::seconds{30};  // without a byte
  Duration idle_timeout = std::chrono::seconds{75};  // between requests
};

/// What happens to every request before and after its handler.
struct Hooks {
  /// Looks at who asks and from where, also where no route matches. Nothing: go on (owner set). Else: refused with this.
  std::function<std::optional<Response>(Exchange&, const Router::Match&)> gate;
  /// For metrics and log, when the answer was sent (status 0: the client had gone). Also of requests that were refused before they had a
  /// method and a path.
  std::function<void(const Exchange&, const Router::Match&, unsigned status, Duration took)> done;
  /// For the log: one line about what nobody asked for, such as a handler's exception.
  std::function<void(std::string_view line)> trouble;
};

class Server {
 public:
  /// Listens at once. `pool` is where disks are waited for. Error: BadUse when the address can't be listened on, with the reason.
  static Result<std::unique_ptr<Server>> listen(net::io_context& context, net::thread_pool& pool, const ServerOptions& options,
                                                const Router& router, Hooks hooks);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  /// No new connection and no new request; those that are being answered go on. Idle ones are closed.
  virtual void stop_accepting() = 0;
  /// Closes what is left.
  virtual void close() = 0;
};

}  // namespace lapse::serve::http
