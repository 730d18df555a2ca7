#pragma once
// The front's one thread never blocks: what blocks runs on a pool, and the coroutine that waits for it goes on on its own thread after.

#include <utility>  // first: Boost 1.74's coroutine header needs std::exchange and forgets to say so

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>

namespace lapse::serve {

namespace net = boost::asio;

/// co_await on(pool, f): f() on a thread of the pool, its value (not void) here, or its exception. What f borrows outlives it, as the
/// coroutine waits; so the pool is joined before the io_context, which holds the coroutines, goes.
template <class F>
net::awaitable<std::invoke_result_t<F>> on(net::thread_pool& pool, F f) {
  using Value = std::invoke_result_t<F>;
  const auto executor = co_await net::this_coro::executor;
  std::optional<Value> value;
  std::exception_ptr failure;
  co_await net::async_initiate<const net::use_awaitable_t<>&, void()>(
      [&](auto&& handler) {
        // A shared handler, because a thread pool's function object has to be copyable in 1.74. The guard, because an io_context with
        // nothing else to do would end while the pool is at work.
        auto resume = std::make_shared<std::decay_t<decltype(handler)>>(std::forward<decltype(handler)>(handler));
        net::post(pool, [&f, &value, &failure, resume, guard = net::make_work_guard(executor)]() mutable {
          try {
            value.emplace(f());
          } catch (...) {
            failure = std::current_exception();
          }
          net::post(guard.get_executor(), [resume = std::move(resume)] { std::move (*resume)(); });
        });
      },
      net::use_awaitable);
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*value);
}

}  // namespace lapse::serve
