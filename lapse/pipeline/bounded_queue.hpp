#pragma once
// What joins two stages: a queue of a fixed capacity. A stage that is ahead waits, so memory never grows with the number of items.
//
// Threads: any number of producers and consumers. Blocking: push waits for room, pop for an item, until the queue is closed; try_pop never.
// Order: first in, first out. After close() no item gets in, and those that are in still come out.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace lapse::pipeline {

template <class T>
class BoundedQueue {
 public:
  /// `capacity` ≥ 1 items.
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  /// False when the queue is closed: the item was not taken.
  [[nodiscard]] bool push(T item) {
    std::unique_lock lock{mutex_};
    room_.wait(lock, [this] { return closed_ || items_.size() < capacity_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    lock.unlock();
    filled_.notify_one();
    return true;
  }

  /// Nothing when the queue is closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock{mutex_};
    filled_.wait(lock, [this] { return closed_ || !items_.empty(); });
    return take(lock);
  }

  /// Nothing when there is nothing now.
  std::optional<T> try_pop() {
    std::unique_lock lock{mutex_};
    return take(lock);
  }

  void close() {
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
    }
    filled_.notify_all();
    room_.notify_all();
  }

  std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return items_.size();
  }

 private:
  std::optional<T> take(std::unique_lock<std::mutex>& lock) {
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    lock.unlock();
    room_.notify_one();
    return item;
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable filled_, room_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace lapse::pipeline
