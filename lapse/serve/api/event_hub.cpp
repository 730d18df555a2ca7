#include <lapse/serve/api/event_hub.hpp>

#include <boost/asio/redirect_error.hpp>

namespace lapse::serve::api {

EventHub::Subscription::Subscription(EventHub& hub, const std::string& owner, const net::any_io_executor& executor)
    : hub_(hub), owner_(owner), timer_(executor) {
  hub_.subscriptions_[owner_].insert(this);
  ++hub_.size_;
}

EventHub::Subscription::~Subscription() {
  const auto found = hub_.subscriptions_.find(owner_);
  found->second.erase(this);
  if (found->second.empty()) hub_.subscriptions_.erase(found);
  --hub_.size_;
}

net::awaitable<bool> EventHub::Subscription::wait(SteadyTime until) {
  if (!woken_) {
    boost::system::error_code cancelled;
    timer_.expires_at(until);
    co_await timer_.async_wait(net::redirect_error(net::use_awaitable, cancelled));
  }
  co_return std::exchange(woken_, false);
}

void EventHub::Subscription::wake() {
  woken_ = true;
  timer_.cancel();
}

void EventHub::wake(const std::string& owner) {
  const auto found = subscriptions_.find(owner);
  if (found == subscriptions_.end()) return;
  for (Subscription* subscription : found->second) subscription->wake();
}

void EventHub::close() {
  closed_ = true;
  for (const auto& [owner, some] : subscriptions_) {
    for (Subscription* subscription : some) subscription->wake();
  }
}

std::size_t EventHub::size(std::string_view owner) const {
  const auto found = subscriptions_.find(owner);
  return found == subscriptions_.end() ? 0 : found->second.size();
}

}  // namespace lapse::serve::api
