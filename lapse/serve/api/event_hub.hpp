#pragma once
// Who is to be woken when something has happened to an owner's jobs: open event streams, and whoever waits for one job.
//
// A wake-up carries nothing: who is woken reads the store from where it stands, so that replay and live are the same, and nothing is lost
// between the two. Threads: the front's one.

#include <lapse/serve/async.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace lapse::serve::api {

class EventHub {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  class Subscription {
   public:
    Subscription(EventHub& hub, const std::string& owner, const net::any_io_executor& executor);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    /// Until something has happened since the last wait, or until then (false).
    net::awaitable<bool> wait(SteadyTime until);
    void wake();

   private:
    EventHub& hub_;
    const std::string owner_;
    net::steady_timer timer_;
    bool woken_ = false;
  };

  void wake(const std::string& owner);
  /// Wakes everybody, and tells them to go.
  void close();
  bool closed() const noexcept { return closed_; }

  std::size_t size() const noexcept { return size_; }
  std::size_t size(std::string_view owner) const;

 private:
  std::map<std::string, std::set<Subscription*>, std::less<>> subscriptions_;  // by owner
  std::size_t size_ = 0;
  bool closed_ = false;
};

}  // namespace lapse::serve::api
