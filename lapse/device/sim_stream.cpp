#include <time.h>

#include <algorithm>
#include <lapse/device/sim_stream.hpp>

namespace lapse::device {
namespace {

Instant clock_now() noexcept { return std::chrono::steady_clock::now().time_since_epoch(); }

// Sleeping threads wake tens of microseconds late, so the last stretch before a deadline is spun through.
constexpr Duration kSpin = std::chrono::microseconds{200};

void sleep_until(Instant deadline) noexcept {
  const Instant wake = deadline - kSpin;
  if (wake > clock_now()) {
    timespec at{};
    at.tv_sec = static_cast<time_t>(wake.count() / 1'000'000'000);
    at.tv_nsec = static_cast<long>(wake.count() % 1'000'000'000);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
  }
  while (clock_now() < deadline) {
  }
}

}  // namespace

Instant SimClock::now() const noexcept { return is_virtual() ? virtual_now_ : clock_now(); }

void SimClock::spend(Duration duration) noexcept {
  if (is_virtual()) {
    virtual_now_ += duration;
    return;
  }
  const Instant until = clock_now() + duration;
  while (clock_now() < until) {
  }
}

void SimClock::move_to(Instant instant) noexcept { virtual_now_ = std::max(virtual_now_, instant); }

SimStream::SimStream(SimClock& clock) : clock_(clock) {
  if (!clock_.is_virtual()) device_ = std::thread([this] { serve(); });
}

SimStream::~SimStream() {
  if (!device_.joinable()) return;
  capturing_ = false;
  drain();
  closing_ = true;
  submitted_.fetch_add(1);  // a last, empty piece of work wakes the device
  submitted_.notify_one();
  device_.join();
}

void SimStream::enqueue(Duration duration, void (*done)(void*), void* context) noexcept {
  if (capturing_) {
    captured_.push_back({duration, done, context});
    return;
  }
  const Instant start = std::max(clock_.now(), idle_from_);
  for (SimStamp* open : open_) open->at = start;
  open_.clear();
  idle_from_ = start + duration;
  put({{duration, done, context}, idle_from_});
}

void SimStream::follow(SimStamp& stamp) noexcept {
  if (capturing_ || stamp.stream == nullptr) return;
  stamp.stream->forget(stamp);
  if (stamp.stream == this) return;  // there is an order already
  open_.clear();                     // what was marked before has nothing to wait for
  idle_from_ = std::max({clock_.now(), idle_from_, stamp.at});
  put({{}, idle_from_, stamp.stream, stamp.after});
}

void SimStream::put(const Queued& queued) noexcept {
  const std::uint64_t index = submitted_.load(std::memory_order_relaxed);
  if (index >= kQueue) wait_for(index - kQueue + 1);
  queue_[index % kQueue] = queued;
  submitted_.store(index + 1, std::memory_order_release);
  submitted_.notify_one();
}

void SimStream::drain() noexcept {
  capture_failed_ = capturing_;
  if (capturing_) return;
  wait_for(submitted_.load(std::memory_order_relaxed));
  open_.clear();
}

void SimStream::stamp(SimStamp& stamp) {
  if (stamp.stream != nullptr) stamp.stream->forget(stamp);
  const Instant at = clock_.now();
  const bool busy = at < idle_from_;
  stamp = {this, std::max(at, idle_from_), submitted_.load(std::memory_order_relaxed)};
  if (!busy) open_.push_back(&stamp);
}

void SimStream::wait(SimStamp& stamp) noexcept {
  wait_for(stamp.after);
  if (clock_.is_virtual()) clock_.move_to(stamp.at);
  forget(stamp);
}

bool SimStream::passed(SimStamp& stamp) noexcept {
  if (clock_.is_virtual() && stamp.at <= clock_.now()) wait_for(stamp.after);
  const bool done = completed_.load(std::memory_order_acquire) >= stamp.after;
  if (done) forget(stamp);
  return done;
}

void SimStream::forget(SimStamp& stamp) noexcept { std::erase(open_, &stamp); }

void SimStream::begin_capture() {
  capturing_ = true;
  capture_failed_ = false;
  captured_.clear();
}

bool SimStream::end_capture(std::vector<SimWork>& works) {
  capturing_ = false;
  works = std::move(captured_);
  captured_.clear();
  return !capture_failed_;
}

void SimStream::wait_for(std::uint64_t work) noexcept {
  // Real time polls and yields, as a GPU's driver does: the latency of a wake-up by the kernel would be part of every result.
  while (completed_.load(std::memory_order_acquire) < work) {
    if (clock_.is_virtual()) {
      complete_next();
    } else {
      std::this_thread::yield();
    }
  }
}

void SimStream::complete_next() noexcept {
  const std::uint64_t index = completed_.load(std::memory_order_relaxed);
  const Queued& next = queue_[index % kQueue];
  if (next.follows != nullptr) next.follows->wait_for(next.after);
  if (clock_.is_virtual()) {
    clock_.move_to(next.complete_at);
  } else {
    sleep_until(next.complete_at);
  }
  if (next.work.done != nullptr) next.work.done(next.work.context);
  completed_.store(index + 1, std::memory_order_release);
}

void SimStream::serve() {
  for (std::uint64_t next = 0;; ++next) {
    // Stay awake for a moment after the last work: the next one is often already on its way.
    const Instant give_up = clock_now() + kSpin;
    while (submitted_.load(std::memory_order_acquire) <= next && clock_now() < give_up) {
    }
    submitted_.wait(next, std::memory_order_acquire);
    if (closing_) return;
    complete_next();
  }
}

}  // namespace lapse::device
