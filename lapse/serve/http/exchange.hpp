#pragma once
// One HTTP request and its answer, as a handler sees it. What is dangerous about HTTP (framing, limits, time-outs, hosts, origins) has been
// dealt with before a handler is called.
//
// Threads: the front's one. Lifetime: the handler's coroutine.

#include <lapse/serve/async.hpp>

#include <cstdint>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/jobs/blob_store.hpp>
#include <lapse/serve/http/budget.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lapse::serve::http {

struct Response {
  Response() = default;  // no aggregate: lapse/serve/async.hpp says why
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // Content-Length and Connection are the server's
  std::string content_type = "application/json";
  std::string body;
};

/// {"error": "…", "hint": "…"} with the status of the code; a Retry-After where one is given (Busy: 1 without), in whole
/// seconds, rounded up.
Response refuse(const Error& error, std::optional<Duration> retry_after = {});

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual std::string_view method() const = 0;
  virtual std::string_view path() const = 0;  // as it was sent, without the query
  /// Percent-decoded part of the path under this name in the route's pattern.
  virtual const std::string& part(std::string_view name) const = 0;
  virtual std::optional<std::string> query(std::string_view name) const = 0;  // percent-decoded, the first of that name
  virtual std::optional<std::string_view> header(std::string_view name) const = 0;
  virtual std::string_view remote() const = 0;  // address of the peer, for the log

  /// Who asks, and the id of the token that says so, if one does: filled in by the gate (lapse/serve/access/gate.hpp) before a handler
  /// runs.
  const std::string& owner() const noexcept { return owner_; }
  const std::string& token() const noexcept { return token_; }
  void identify(std::string owner, std::string token = {}) {
    owner_ = std::move(owner);
    token_ = std::move(token);
  }

  /// The whole body, in memory. Errors: TooLarge; BadInput when the client breaks off; Busy when the bodies of all requests together
  /// would exceed ServerOptions::max_body_memory.
  virtual net::awaitable<Result<std::string>> body(std::uint64_t limit) = 0;
  /// Of the same memory, for what the body is read into; empty at first.
  virtual BodyShare share() = 0;

  /// To be called once, unless a stream is begun.
  virtual net::awaitable<void> respond(Response response) = 0;
  /// A part of a blob (status 200 or 206 and its headers are in `response`, whose body is not used).
  virtual net::awaitable<void> respond_blob(Response response, std::shared_ptr<const jobs::BlobReader> blob, std::uint64_t offset,
                                            std::uint64_t size) = 0;
  /// A body without a known end, each write sent at once; false: the client has gone.
  virtual net::awaitable<bool> begin_stream(Response response) = 0;
  virtual net::awaitable<bool> write(std::string_view bytes) = 0;

  /// Watches the connection while the handler waits for something else: calls `gone` once, within a tenth of a second, when the client
  /// closes it (or its half of it) before the exchange is over, or when the server is closed. Never after the handler has returned.
  virtual void on_gone(std::function<void()> gone) = 0;

 private:
  std::string owner_, token_;
};

using Handler = std::function<net::awaitable<void>(Exchange&)>;

/// Which handler is for what. Patterns are "/v2/jobs/{id}/result"; {name} stands for exactly one part.
class Router {
 public:
  void add(std::string method, std::string pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // null: 404, or 405 when `allowed` is not empty
    std::string pattern;               // for metrics: one label a route, not a path
    std::map<std::string, std::string, std::less<>> parts;
    std::vector<std::string> allowed;
  };
  /// HEAD finds what GET does. What a pattern spells out goes before what it names. Parts that don't decode, are empty, "." or "..", or
  /// contain '/' or control characters after decoding match nothing.
  Match find(std::string_view method, std::string_view path) const;
  /// All of them, "METHOD pattern", for the test that holds the OpenAPI document to the truth.
  std::vector<std::pair<std::string, std::string>> routes() const;

 private:
  struct Route {
    std::string method, pattern;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace lapse::serve::http
