// Server-sent events, from the store's log: each stream reads from its own position on, so what was missed and what happens now come by
// the same way, in order, without a gap.

#include <fmt/format.h>

#include <charconv>
#include <lapse/serve/api/job_document.hpp>
#include <memory>

namespace lapse::serve::api {
namespace {

constexpr std::size_t kStreams = 10'000, kStreamsOfOwner = 100;
constexpr std::size_t kAtATime = 256;  // events read and written
constexpr std::chrono::seconds kKeepAlive{15};

// The last event that the client has seen, 0: none, so it asks for all there are; nothing: it asks for what comes from now on.
Result<std::optional<std::uint64_t>> position_of(const http::Exchange& exchange) {
  std::string text{exchange.header("Last-Event-ID").value_or("")};
  if (text.empty()) text = exchange.query("after").value_or("");
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(ErrorCode::BadInput, "Last-Event-ID is not the number of an event", "leave it out to hear what comes from now on");
  }
  return value;
}

std::optional<Error> no_place(const EventHub& hub, const std::string& owner) {
  if (hub.closed()) return Error{ErrorCode::Unavailable, "the server is stopping", "try again in a moment"};
  if (hub.size() >= kStreams) return Error{ErrorCode::Unavailable, fmt::format("{} event streams are open", hub.size())};
  if (hub.size(owner) < kStreamsOfOwner) return std::nullopt;
  return Error{ErrorCode::Unavailable, fmt::format("you have {} event streams open", kStreamsOfOwner),
               "one is enough: it tells of all your jobs"};
}

class Stream {
 public:
  Stream(Services& services, http::Exchange& exchange, const net::any_io_executor& executor)
      : services_(services), exchange_(exchange), changes_(services.hub, exchange.owner(), executor) {}

  net::awaitable<void> run(std::optional<std::uint64_t> position) {
    // Before the head is sent: who reads it knows that nothing that happens from now on will be missed.
    auto found = co_await read(position.value_or(UINT64_MAX));
    if (found) position_ = position.value_or(found->newest);
    http::Response head = found ? http::Response{} : http::refuse(found.error());
    if (found) head.content_type = "text/event-stream";
    if (found) head.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
    if (!found) {
      co_await exchange_.respond(std::move(head));
      co_return;
    }
    exchange_.on_gone([this] { leave(); });
    bool open = co_await exchange_.begin_stream(std::move(head));
    // The number alone is no event, but a browser keeps it, and says it when it comes back before the first one.
    if (open) open = co_await exchange_.write(fmt::format("retry: 2000\nid: {}\n\n", position_));
    if (open) open = co_await tell(*found);
    while (open && !gone_ && !services_.hub.closed()) open = co_await go_on();
  }

 private:
  void leave() {
    gone_ = true;
    changes_.wake();
  }

  net::awaitable<Result<jobs::JobStore::Events>> read(std::uint64_t after) {
    co_return co_await on(services_.pool, [&] { return services_.store.events_since(exchange_.owner(), after, kAtATime); });
  }

  net::awaitable<bool> go_on() {
    if (!more_) {
      const bool woken = co_await changes_.wait(std::chrono::steady_clock::now() + kKeepAlive);
      if (gone_ || services_.hub.closed()) co_return false;
      if (!exchange_.token().empty() && !services_.token_valid(exchange_.token())) co_return false;
      if (!woken) {
        const bool alive = co_await exchange_.write(":\n\n");
        co_return alive;
      }
    }
    const auto found = co_await read(position_);
    if (!found) co_return false;  // the client comes back, and is told then what is wrong
    const bool told = co_await tell(*found);
    co_return told;
  }

  net::awaitable<bool> tell(const jobs::JobStore::Events& found) {
    std::string text;
    // Events were forgotten that the client has not seen, or it has seen what this log never held.
    const bool missed = position_ > 0 && position_ + 1 < found.oldest;
    if (missed || position_ > found.newest) {
      position_ = found.newest;
      text = fmt::format("id: {}\nevent: reset\ndata: {{\"oldest\":{},\"newest\":{}}}\n\n", found.newest, found.oldest, found.newest);
      more_ = false;
      const bool told = co_await exchange_.write(text);
      co_return told;
    }
    std::vector<std::string> ended;
    for (const jobs::Event& event : found.events) {
      fmt::format_to(std::back_inserter(text), "id: {}\nevent: {}\ndata: {}\n\n", event.sequence, event.type, event.data);
      position_ = event.sequence;
      const auto state = jobs::parse_state(event.type);
      if (state && final(*state)) ended.push_back(event.job);
    }
    more_ = found.events.size() == kAtATime;
    if (text.empty()) co_return true;
    const bool told = co_await exchange_.write(text);
    if (told && !ended.empty()) co_await note_delivered(services_, exchange_.owner(), std::move(ended));
    co_return told;
  }

  Services& services_;
  http::Exchange& exchange_;
  EventHub::Subscription changes_;
  std::uint64_t position_ = 0;
  bool more_ = false, gone_ = false;
};

net::awaitable<void> events(Services& services, http::Exchange& exchange) {
  const auto position = position_of(exchange);
  std::optional<Error> refused;
  if (!position) refused = position.error();
  if (!refused) refused = no_place(services.hub, exchange.owner());
  if (refused) {
    http::Response response =
        http::refuse(*refused, refused->code == ErrorCode::Unavailable ? std::optional<Duration>{std::chrono::seconds{2}} : std::nullopt);
    co_await exchange.respond(std::move(response));
    co_return;
  }
  const auto executor = co_await net::this_coro::executor;
  Stream stream{services, exchange, executor};
  co_await stream.run(*position);
}

}  // namespace

void add_events(http::Router& router, Services& services) {
  router.add("GET", "/v2/events", [&services](http::Exchange& exchange) { return events(services, exchange); });
}

}  // namespace lapse::serve::api
