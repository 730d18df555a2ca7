#include <time.h>

#include <algorithm>
#include <lapse/device/simulated.hpp>

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

SimTimeline::SimTimeline(Time time) : time_(time) {
  if (time_ == Time::Real) device_ = std::thread([this] { serve(); });
}

SimTimeline::~SimTimeline() {
  if (!device_.joinable()) return;
  drain();
  closing_ = true;
  submitted_.fetch_add(1);  // a last, empty piece of work wakes the device
  submitted_.notify_one();
  device_.join();
}

Instant SimTimeline::now() noexcept { return time_ == Time::Virtual ? virtual_now_ : clock_now(); }

Result<Mark> SimTimeline::make_mark() {
  stamps_.push_back({});
  open_.reserve(stamps_.size());
  return Mark{static_cast<std::uint32_t>(stamps_.size() - 1)};
}

Result<void> SimTimeline::record(Mark mark) {
  const Instant at = now();
  const bool busy = at < idle_from_;
  stamps_[mark.index] = {std::max(at, idle_from_), submitted_.load(std::memory_order_relaxed)};
  const auto earlier = std::find(open_.begin(), open_.end(), mark.index);
  if (busy && earlier != open_.end()) open_.erase(earlier);
  if (!busy && earlier == open_.end()) open_.push_back(mark.index);
  return {};
}

Result<void> SimTimeline::wait(Mark mark) {
  wait_for(stamps_[mark.index].after);
  std::erase(open_, mark.index);
  return {};
}

Result<void> SimTimeline::synchronize() {
  drain();
  open_.clear();
  return {};
}

Result<Duration> SimTimeline::elapsed(Mark from, Mark to) { return stamps_[to.index].at - stamps_[from.index].at; }

void SimTimeline::host_work(Duration duration) noexcept {
  if (time_ == Time::Virtual) {
    virtual_now_ += duration;
    return;
  }
  const Instant until = clock_now() + duration;
  while (clock_now() < until) {
  }
}

void SimTimeline::enqueue(Duration duration, void (*done)(void*), void* context) noexcept {
  const std::uint64_t index = submitted_.load(std::memory_order_relaxed);
  if (index >= kQueue) wait_for(index - kQueue + 1);
  const Instant start = std::max(now(), idle_from_);
  for (const std::uint32_t open : open_) stamps_[open].at = start;
  open_.clear();
  idle_from_ = start + duration;
  queue_[index % kQueue] = {idle_from_, done, context};
  submitted_.store(index + 1, std::memory_order_release);
  submitted_.notify_one();
}

void SimTimeline::drain() noexcept { wait_for(submitted_.load(std::memory_order_relaxed)); }

void SimTimeline::wait_for(std::uint64_t work) noexcept {
  // Real time polls and yields, as a GPU's driver does: the latency of a wake-up by the kernel would be part of every result.
  while (completed_.load(std::memory_order_acquire) < work) {
    if (time_ == Time::Real) {
      std::this_thread::yield();
    } else {
      complete_next();
    }
  }
}

void SimTimeline::complete_next() noexcept {
  const std::uint64_t index = completed_.load(std::memory_order_relaxed);
  const Work& work = queue_[index % kQueue];
  if (time_ == Time::Virtual) {
    virtual_now_ = std::max(virtual_now_, work.complete_at);
  } else {
    sleep_until(work.complete_at);
  }
  if (work.done != nullptr) work.done(work.context);
  completed_.store(index + 1, std::memory_order_release);
}

void SimTimeline::serve() {
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
