#pragma once
// The body of one request: read when the handler asks for it, within its limit, the server's memory and a patience that a slow client can't
// wear out: body_timeout without a byte, and on the whole at least 1 KiB a second.
//
// Threads: the front's one. Its memory counts against the server's budget until it is destroyed, with its exchange.

#include <lapse/base/error.hpp>
#include <lapse/serve/http/budget.hpp>
#include <lapse/serve/http/chunked.hpp>
#include <lapse/serve/http/head.hpp>
#include <lapse/serve/http/wire.hpp>
#include <string>

namespace lapse::serve::http {

class Body {
 public:
  Body(Wire& wire, BodyBudget& budget, std::chrono::nanoseconds timeout, const Head& head);
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  /// Exchange::body.
  net::awaitable<Result<std::string>> read(std::uint64_t limit);
  /// It stalled: the answer is 408, whatever the handler makes of it.
  bool stalled() const noexcept { return stalled_; }
  /// Can the connection be used again? Not when too much, or an unknown amount, of the body is still to come.
  bool can_be_drained() const noexcept;
  /// Reads away what the handler didn't want. False: it did not come.
  net::awaitable<bool> drain();

 private:
  net::awaitable<bool> say_continue();
  net::awaitable<Result<std::string>> read_known();
  net::awaitable<Result<std::string>> read_chunks(std::uint64_t limit);
  SteadyTime deadline() const;
  tl::unexpected<Error> broken(Wire::Outcome outcome);
  tl::unexpected<Error> failed(Error error);

  Wire& wire_;
  BodyShare share_;
  std::chrono::nanoseconds timeout_;
  SteadyTime started_;
  std::uint64_t left_;          // of a body whose length is known
  std::uint64_t received_ = 0;  // for the pace
  bool chunked_, expects_continue_;
  bool asked_ = false, failed_ = false, stalled_ = false;
};

}  // namespace lapse::serve::http
