#include <fmt/format.h>

#include <barrier>
#include <lapse/measure/loop.hpp>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace lapse::measuring {
namespace {

class BlockingLoop final : public Loop {
 public:
  explicit BlockingLoop(Subject& subject) : subject_(subject) {}

  Result<std::size_t> run(std::span<Sample> samples, std::size_t first, const Limits& limits) override {
    device::Timeline& timeline = subject_.timeline();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const device::Instant start = timeline.now();
      auto submitted = subject_.submit(0, first + i);
      const device::Instant end = timeline.now();
      if (!submitted) return tl::unexpected(std::move(submitted).error());
      samples[i] = {end - start, end - start, end - start};
      if (limits.reached(end)) return i + 1;
    }
    return samples.size();
  }

 private:
  Subject& subject_;
};

// Marks stand outside the readings of `submit`, so that it holds the subject's call alone.
struct Flight {
  device::Mark before, after;
  device::Instant start{}, returned{};
};

Result<Flight> make_flight(device::Timeline& timeline) {
  Flight flight;
  LAPSE_TRY(flight.before, timeline.make_mark());
  LAPSE_TRY(flight.after, timeline.make_mark());
  return flight;
}

// One or more in flight from one thread. Slots take turns: the device works in order, so the oldest is always the next to complete.
class AsynchronousLoop final : public Loop {
 public:
  AsynchronousLoop(Subject& subject, std::vector<Flight> flights) : subject_(subject), flights_(std::move(flights)) {}

  Result<std::size_t> run(std::span<Sample> samples, std::size_t first, const Limits& limits) override {
    auto done = fly(samples, first, limits);
    // What is still in flight uses memory of the subject, which may be gone soon.
    if (!done) (void)subject_.timeline().synchronize();
    return done;
  }

 private:
  Result<std::size_t> fly(std::span<Sample> samples, std::size_t first, const Limits& limits) {
    std::size_t submitted = 0, completed = 0;
    bool closing = false;
    while (completed < samples.size()) {
      const bool room = submitted - completed < flights_.size();
      if (room && !closing && submitted < samples.size()) {
        LAPSE_CHECK(launch(submitted % flights_.size(), first + submitted));
        ++submitted;
        continue;
      }
      if (completed == submitted) break;
      LAPSE_TRY(const device::Instant end, land(flights_[completed % flights_.size()], samples[completed]));
      ++completed;
      closing = closing || limits.reached(end);
    }
    return completed;
  }

  Result<void> launch(std::size_t slot, std::size_t iteration) {
    device::Timeline& timeline = subject_.timeline();
    Flight& flight = flights_[slot];
    LAPSE_CHECK(timeline.record(flight.before));
    flight.start = timeline.now();
    auto submitted = subject_.submit(slot, iteration);
    flight.returned = timeline.now();
    if (!submitted) return submitted;
    return timeline.record(flight.after);
  }

  Result<device::Instant> land(const Flight& flight, Sample& sample) {
    device::Timeline& timeline = subject_.timeline();
    LAPSE_CHECK(timeline.wait(flight.after));
    const device::Instant end = timeline.now();
    LAPSE_TRY(const Duration device, timeline.elapsed(flight.before, flight.after));
    sample = {flight.returned - flight.start, device, end - flight.start};
    return end;
  }

  Subject& subject_;
  std::vector<Flight> flights_;
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
      samples_[index] = {end - start, end - start, end - start};
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
  if (!subject.asynchronous() && in_flight == 1) return std::make_unique<BlockingLoop>(subject);
  if (!subject.asynchronous()) {
    auto loop = std::make_unique<ThreadedLoop>(subject, in_flight);
    LAPSE_CHECK(loop->start_threads());
    return loop;
  }
  std::vector<Flight> flights;
  for (std::size_t i = 0; i < in_flight; ++i) {
    LAPSE_TRY(Flight flight, make_flight(subject.timeline()));
    flights.push_back(flight);
  }
  return std::make_unique<AsynchronousLoop>(subject, std::move(flights));
}

}  // namespace lapse::measuring
