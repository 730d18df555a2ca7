#pragma once
// Stages in a row, each on threads of its own, joined by bounded queues: while one works on an item, the one before it prepares the next.
//
//   source ═▶ stage ═▶ stage ═▶ …        ═▶ a BoundedQueue of `depth` items
//
// Memory: at most depth + threads (or in_flight) items a stage are there at once, however many pass. Order: that of the source, as long as
// no stage has more than one thread. The first error ends it all: no item is begun from then on, those in the queues are dropped, and every
// thread has ended when run returns. What a stage throws is an error like any other.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/pipeline/bounded_queue.hpp>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lapse::pipeline {

template <class Item>
struct Stage {
  std::function<Result<void>(Item&)> work;
  std::size_t threads = 1;
  bool here = false;  // on the thread that calls run: of one stage, with one thread
  /// Of a stage that only hands its work to a device: is it done? Does not block. Such a stage has one thread.
  std::function<Result<bool>(Item&)> done{};
  std::size_t in_flight = 1;  // that may be handed over and not done
};

struct RunOptions {
  std::size_t depth = 2;           // of every queue, ≥ 1
  std::size_t source_threads = 1;  // that ask the source, at the same time if there are several
  /// Called once, on the thread where the first error was: to wake up whoever waits outside of the queues. May be empty.
  std::function<void(const Error&)> failed{};
};

template <class Item>
class Stages {
 public:
  /// Nothing: there are no more, and it is not asked again on this thread.
  using Source = std::function<Result<std::optional<Item>>()>;

  /// Until the source has no more and the last stage is done with the last item. Error: the first one.
  static Result<void> run(const Source& source, std::vector<Stage<Item>> stages, const RunOptions& options) {
    return Stages(source, std::move(stages), options).run();
  }

 private:
  using Queue = BoundedQueue<Item>;
  using Clock = std::chrono::steady_clock;
  // Between two looks at a device: short beside any batch, long enough to leave the processor to those who prepare the next one.
  static constexpr std::chrono::microseconds kLook{20};

  Stages(const Source& source, std::vector<Stage<Item>> stages, const RunOptions& options)
      : source_(source), stages_(std::move(stages)), options_(options), busy_(stages_.size() + 1) {
    for (std::size_t i = 0; i < stages_.size(); ++i) queues_.push_back(std::make_unique<Queue>(options.depth));
  }

  Result<void> run() {
    std::vector<std::thread> threads;
    const auto start = [&](std::size_t level, std::size_t count, auto body) {
      busy_[level] = count;
      for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([this, level, body] {
          body();
          leave(level);
        });
      }
    };
    std::optional<std::size_t> here;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (stages_[i].here) {
        here = i;
        busy_[i + 1] = 1;
      }
    }
    try {
      for (std::size_t i = stages_.size(); i-- > 0;) {
        if (!stages_[i].here) start(i + 1, stages_[i].threads, [this, i] { serve(i); });
      }
      start(0, options_.source_threads, [this] { feed(); });
    } catch (const std::system_error&) {
      fail_with({ErrorCode::OutOfMemory, "this machine gives no more threads", "ask for fewer workers"});
    }
    if (here) {
      serve(*here);
      leave(*here + 1);
    }
    for (std::thread& thread : threads) thread.join();
    if (error_) return tl::unexpected(*error_);
    return {};
  }

  void feed() {
    while (!stopped_) {
      auto item = guarded([this] { return source_(); });
      if (!item) return fail_with(std::move(item).error());
      if (!*item) return;
      if (!queues_.front()->push(std::move(**item))) return;
    }
  }

  void serve(std::size_t stage) { stages_[stage].done ? fly(stage) : work(stage); }

  void work(std::size_t stage) {
    while (auto item = queues_[stage]->pop()) {
      if (stopped_) return;
      if (auto done = guarded([&] { return stages_[stage].work(*item); }); !done) return fail_with(std::move(done).error());
      if (!pass_on(stage, std::move(*item))) return;
    }
  }

  // Hands over as long as there is room in flight, and looks at the oldest meanwhile.
  void fly(std::size_t stage) {
    std::deque<Item> flying;
    while (!stopped_) {
      if (flying.size() < stages_[stage].in_flight) {
        auto item = flying.empty() ? queues_[stage]->pop() : queues_[stage]->try_pop();
        if (item) {
          auto begun = guarded([&] { return stages_[stage].work(*item); });
          if (!begun) return fail_with(std::move(begun).error());
          flying.push_back(std::move(*item));
          continue;
        }
      }
      if (flying.empty()) return;
      auto done = guarded([&] { return stages_[stage].done(flying.front()); });
      if (!done) return fail_with(std::move(done).error());
      if (!*done) {
        std::this_thread::sleep_for(kLook);
        continue;
      }
      if (!pass_on(stage, std::move(flying.front()))) return;
      flying.pop_front();
    }
  }

  bool pass_on(std::size_t stage, Item item) { return stage + 1 == stages_.size() || queues_[stage + 1]->push(std::move(item)); }

  // The last thread of a level closes what it feeds.
  void leave(std::size_t level) {
    if (--busy_[level] == 0 && level < stages_.size()) queues_[level]->close();
  }

  void fail_with(Error error) {
    {
      const std::lock_guard lock{mutex_};
      if (error_) return;
      error_ = std::move(error);
    }
    stopped_ = true;
    for (const auto& queue : queues_) queue->close();
    if (options_.failed) options_.failed(*error_);
  }

  template <class Body>
  static std::invoke_result_t<Body> guarded(Body body) {
    try {
      return body();
    } catch (const std::bad_alloc&) {
      return fail(ErrorCode::OutOfMemory, "there is not enough memory for a stage of the pipeline");
    } catch (const std::exception& exception) {
      return fail(ErrorCode::Internal, std::string("a stage of the pipeline threw: ") + exception.what());
    }
  }

  const Source& source_;
  const std::vector<Stage<Item>> stages_;
  const RunOptions& options_;
  std::vector<std::unique_ptr<Queue>> queues_;  // the i-th feeds the i-th stage
  std::vector<std::atomic<std::size_t>> busy_;  // threads at work: of the source, of each stage
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace lapse::pipeline
