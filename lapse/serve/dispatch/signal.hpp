#pragma once
// Wakes a coroutine that waits for something to happen, or for a time. One waits at a time; a notice that comes before the wait counts.

#include <lapse/serve/async.hpp>

#include <boost/asio/redirect_error.hpp>
#include <utility>

namespace lapse::serve {

class Signal {
 public:
  explicit Signal(net::io_context& context) : timer_(context) {}

  void notify() {
    set_ = true;
    timer_.cancel();
  }

  net::awaitable<void> wait(net::steady_timer::time_point until = net::steady_timer::time_point::max()) {
    boost::system::error_code ignored;
    if (!set_) {
      timer_.expires_at(until);
      co_await timer_.async_wait(net::redirect_error(net::use_awaitable, ignored));
    }
    set_ = false;
  }

 private:
  net::steady_timer timer_;
  bool set_ = false;
};

}  // namespace lapse::serve
