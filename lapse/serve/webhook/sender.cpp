#include <lapse/serve/webhook/sender.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cmath>
#include <lapse/serve/webhook/delivery.hpp>
#include <random>

namespace lapse::serve::webhook {
namespace {

constexpr std::size_t kAtATime = 32;        // messages under way
constexpr int kTries = 12;                  // the pauses between them make 70 minutes
constexpr std::chrono::seconds kLease{60};  // longer than a try takes
constexpr std::chrono::seconds kLook{1};    // for those whose pause is over

Duration pause_after(int tries) {
  thread_local std::minstd_rand chance{std::random_device{}()};
  const double seconds = std::min(std::ldexp(1.0, tries), 3600.0);
  return Duration{std::llround(seconds * 1e9 * std::uniform_real_distribution{0.75, 1.25}(chance))};
}

}  // namespace

struct Sender::Shared {
  Shared(net::io_context& io, net::thread_pool& threads, jobs::JobStore& jobs, const Sessions& keys, Observer& watcher, bool any_target)
      : context(io), pool(threads), store(jobs), sessions(keys), observer(watcher), private_allowed(any_target), timer(io) {}

  // Those that are due, as long as there is room under way. `self` is held by the coroutine's frame.
  net::awaitable<void> send_for_ever(std::shared_ptr<Shared> self);
  net::awaitable<void> send(std::shared_ptr<Shared> self, jobs::Notice notice);
  net::awaitable<void> note(const jobs::Notice& notice, const Result<void>& outcome);

  net::io_context& context;
  net::thread_pool& pool;
  jobs::JobStore& store;
  const Sessions& sessions;
  Observer& observer;
  const bool private_allowed;
  net::steady_timer timer;
  std::size_t under_way = 0;
  bool stopped = false;
};

net::awaitable<void> Sender::Shared::send_for_ever(std::shared_ptr<Shared> self) {
  while (!stopped) {
    const std::size_t room = kAtATime - under_way;
    if (room > 0) {
      auto due = co_await on(pool, [&] { return store.due_notices(room, kLease); });
      if (!due) due.emplace();  // the store is not well; the housekeeping says so
      for (jobs::Notice& notice : *due) {
        ++under_way;
        net::co_spawn(context, send(self, std::move(notice)), net::detached);
      }
      if (due->size() == room) continue;
    }
    if (stopped) break;
    boost::system::error_code woken;
    timer.expires_after(kLook);
    co_await timer.async_wait(net::redirect_error(net::use_awaitable, woken));
  }
}

net::awaitable<void> Sender::Shared::send([[maybe_unused]] std::shared_ptr<Shared> self, jobs::Notice notice) {
  Message message;
  message.url = notice.url;
  message.body = notice.body;
  const auto now = std::chrono::floor<std::chrono::seconds>(jobs::system_now()).time_since_epoch().count();
  message.headers = signature(sessions.sign("webhook-key", notice.owner), notice.body, now, notice.number);
  const auto outcome = co_await deliver(message, private_allowed);
  co_await note(notice, outcome);
  --under_way;
  timer.cancel();
}

net::awaitable<void> Sender::Shared::note(const jobs::Notice& notice, const Result<void>& outcome) {
  const int tries = notice.attempt + 1;
  std::optional<jobs::Time> next;
  if (!outcome && tries < kTries) next = jobs::system_now() + pause_after(notice.attempt);
  if (!outcome) {
    observer.log(next ? Level::Info : Level::Warning, next ? "a webhook was not delivered" : "a webhook is given up",
                 {{"job", notice.job}, {"reason", outcome.error().message}, {"tries", std::to_string(tries)}});
  }
  const auto noted = co_await on(pool, [&] {
    return outcome ? store.notice_delivered(notice.number) : store.notice_failed(notice.number, outcome.error().message, next);
  });
  if (!noted) observer.log(Level::Warning, "what became of a webhook could not be noted", {{"reason", noted.error().message}});
}

Sender::Sender(net::io_context& context, net::thread_pool& pool, jobs::JobStore& store, const Sessions& sessions, Observer& observer,
               bool private_allowed)
    : shared_(std::make_shared<Shared>(context, pool, store, sessions, observer, private_allowed)) {}

Sender::~Sender() { stop(); }

void Sender::start() { net::co_spawn(shared_->context, shared_->send_for_ever(shared_), net::detached); }

void Sender::wake() { shared_->timer.cancel(); }

void Sender::stop() {
  shared_->stopped = true;
  shared_->timer.cancel();
}

}  // namespace lapse::serve::webhook
