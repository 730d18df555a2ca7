#include <fmt/format.h>

#include <barrier>
#include <lapse/measure/flight.hpp>
#include <lapse/measure/loop.hpp>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace lapse::measuring {
namespace {

class BlockingLoop final : public Loop {
 public:
  BlockingLoop(Subject& subject, bool cold_cache) : subject_(subject), cold_cache_(cold_cache) {}

  Result<std::size_t> run(std::span<Sample> samples, std::size_t first, const Limits& limits) override {
    device::Timeline& timeline = subject_.timeline();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (cold_cache_) {
        LAPSE_CHECK(timeline.flush_cache());
        LAPSE_CHECK(timeline.synchronize());
      }
      const device::Instant start = timeline.now();
      auto submitted = subject_.submit(0, first + i);
      const device::Instant end = timeline.now();
      if (!submitted) return tl::unexpected(std::move(submitted).error());
      samples[i] = {start, end - start, end - start, end - start, {}, {}};
      if (limits.reached(end)) return i + 1;
    }
    return samples.size();
  }

 private:
  Subject& subject_;
  bool cold_cache_;
};

// One at a time on an idle device, after the cache was flushed where that is asked for.
class SingleFlightLoop final : public Loop {
 public:
  SingleFlightLoop(Subject& subject, Flight flight, bool cold_cache) : subject_(subject), flight_(flight), cold_cache_(cold_cache) {}

  Result<std::size_t> run(std::span<Sample> samples, std::size_t first, const Limits& limits) override {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (cold_cache_) LAPSE_CHECK(flush(subject_.timeline()));
      LAPSE_CHECK(flight_.launch(first + i));
      LAPSE_TRY(samples[i], flight_.land());
      if (limits.reached(samples[i].start + samples[i].end_to_end)) return i + 1;
    }
    return samples.size();
  }

 private:
  // Waited for: the inference is to find an idle device, as a single user does.
  static Result<void> flush(device::Timeline& timeline) {
    LAPSE_CHECK(timeline.flush_cache());
    return timeline.synchronize();
  }

  Subject& subject_;
  Flight flight_;
  bool cold_cache_;
};

// Several in flight from one thread. On one stream the oldest is always the next to complete; on several it may be any of them.
class ManyFlightsLoop final : public Loop {
 public:
  ManyFlightsLoop(Subject& subject, std::vector<Flight> flights) : subject_(subject), flights_(std::move(flights)) {
    for (std::size_t slot = flights_.size(); slot-- > 0;) free_.push_back(slot);
    flying_.reserve(flights_.size());
    ends_.reserve(flights_.size());
  }

  Result<std::size_t> run(std::span<Sample> samples, std::size_t first, const Limits& limits) override {
    auto done = fly(samples, first, limits);
    if (!done) {
      (void)subject_.timeline().synchronize();  // none stays in flight, whatever failed
      for (const Flying& flying : flying_) free_.push_back(flying.slot);
      flying_.clear();
      ends_.clear();
    }
    return done;
  }

 private:
  struct Flying {
    std::size_t slot, sample;
  };

  Result<std::size_t> fly(std::span<Sample> samples, std::size_t first, const Limits& limits) {
    std::size_t submitted = 0;
    bool closing = false;
    while (true) {
      if (!free_.empty() && !closing && submitted < samples.size()) {
        const std::size_t slot = free_.back();
        LAPSE_CHECK(flights_[slot].launch(first + submitted));
        free_.pop_back();
        flying_.push_back({slot, submitted++});
        ends_.push_back(flights_[slot].end());
        continue;
      }
      if (flying_.empty()) return submitted;
      LAPSE_TRY(const std::size_t next, subject_.timeline().wait_any(ends_));
      const auto [slot, sample] = flying_[next];
      LAPSE_TRY(samples[sample], flights_[slot].land());
      flying_.erase(flying_.begin() + static_cast<std::ptrdiff_t>(next));
      ends_.erase(ends_.begin() + static_cast<std::ptrdiff_t>(next));
      free_.insert(free_.begin(), slot);
      closing = closing || limits.reached(samples[sample].start + samples[sample].end_to_end);
    }
  }

  Subject& subject_;
  std::vector<Flight> flights_;
  std::vector<std::size_t> free_;   // slots; the one that has been free for the longest is taken next
  std::vector<Flying> flying_;      // in the order of their submission, and …
  std::vector<device::Mark> ends_;  // … the marks that end them
};

// Several in flight on a blocking subject: a thread each, which lives as long as the loop, because engines keep pools by thread.
class ThreadedLoop final : public Loop {
 public:
  ThreadedLoop(Subject& subject, std::size_t in_flight) : subject_(subject), gate_(static_cast<std::ptrdiff_t>(in_flight) + 1) {
    errors_.resize(in_flight);
  }

  Result<void> start_threads() {
    for (std::size_t slot = 0; slot < errors_.size(); ++slot) {
      try {
        threads_.emplace_back([this, slot] { serve(slot); });
      } catch (const std::system_error&) {
        // Nobody waits for those that never came.
        for (std::size_t missing = slot; missing < errors_.size(); ++missing) gate_.arrive_and_drop();
        return fail(ErrorCode::OutOfMemory, fmt::format("this machine gives no more than {} of {} threads", slot, errors_.size()),
                    "keep fewer in flight: --in-flight");
      }
    }
    return {};
  }

  ~ThreadedLoop() override {
    closing_ = true;
    gate_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }

  Result<std::size_t> run(std::span<Sample> samples, std::size_t first, const Limits& limits) override {
    samples_ = samples;
    first_ = first;
    limits_ = &limits;
    next_ = 0;
    enough_ = false;
    gate_.arrive_and_wait();  // start …
    gate_.arrive_and_wait();  // … and finish of all threads
    for (auto& error : errors_) {
      if (error) return tl::unexpected(*std::exchange(error, std::nullopt));
    }
    return std::min<std::size_t>(next_, samples.size());
  }

 private:
  void serve(std::size_t slot) {
    while (true) {
      gate_.arrive_and_wait();
      if (closing_) return;
      work(slot);
      gate_.arrive_and_wait();
    }
  }

  void work(std::size_t slot) {
    device::Timeline& timeline = subject_.timeline();
    while (!enough_.load(std::memory_order_relaxed)) {
      const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
      if (index >= samples_.size()) return;
      const device::Instant start = timeline.now();
      auto submitted = subject_.submit(slot, first_ + index);
      const device::Instant end = timeline.now();
      if (!submitted) {
        errors_[slot] = std::move(submitted).error();
        enough_ = true;
        return;
      }
      samples_[index] = {start, end - start, end - start, end - start, {}, {}};
      if (limits_->reached(end)) enough_ = true;
    }
  }

  Subject& subject_;
  std::barrier<> gate_;
  std::span<Sample> samples_;
  std::size_t first_ = 0;
  const Limits* limits_ = nullptr;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> enough_{false};
  std::atomic<bool> closing_{false};
  std::vector<std::optional<Error>> errors_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<Loop>> make_loop(Subject& subject, const Plan& plan) {
  const std::size_t in_flight = plan.scenario == Scenario::Offline ? plan.in_flight : 1;
  if (!subject.asynchronous() && in_flight == 1) return std::make_unique<BlockingLoop>(subject, plan.cold_cache);
  if (!subject.asynchronous()) {
    auto loop = std::make_unique<ThreadedLoop>(subject, in_flight);
    LAPSE_CHECK(loop->start_threads());
    return loop;
  }
  std::vector<Flight> flights;
  for (std::size_t slot = 0; slot < in_flight; ++slot) {
    LAPSE_TRY(const Flight flight, Flight::make(subject, slot));
    flights.push_back(flight);
  }
  if (in_flight == 1) return std::make_unique<SingleFlightLoop>(subject, flights.front(), plan.cold_cache);
  return std::make_unique<ManyFlightsLoop>(subject, std::move(flights));
}

}  // namespace lapse::measuring
