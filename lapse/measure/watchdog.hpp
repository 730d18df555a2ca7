#pragma once
// Notices that something never returns: a subject's own code, or the device.
//
// The threads that measure say what they do next by one relaxed store (Pulse::enter): no clock, no lock, no allocation, so it may stand
// between two clock readings. A side thread looks at what they said now and then; a word that has stayed the same for the limit is a
// step that hangs. So a step ends it after the limit at the earliest and an eighth of it later at the latest.
//
// Nobody can stop a thread that hangs, so what is called then has to end the process, after saying why and saving what there is. For that a
// measurement that is under way is published: batch by batch, without copying it.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <lapse/measure/run.hpp>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace lapse::measuring {

/// What may hang: calls into somebody else's code.
enum class Step : std::uint8_t {
  Own,     // lapse's own work: never too long
  Load,    // opening an engine, loading a model, creating a subject, binding inputs
  Submit,  // one call of submit
  Wait,    // for the device
  Fetch,   // outputs to the host
};

/// What one thread says of itself. Written by that thread, read by the watchdog.
class alignas(64) Pulse {  // a cache line each: several threads write theirs at once
 public:
  void enter(Step step) noexcept { word_.store((++count_ << kStepBits) | static_cast<std::uint64_t>(step), std::memory_order_relaxed); }
  std::uint64_t word() const noexcept { return word_.load(std::memory_order_relaxed); }
  static Step step_of(std::uint64_t word) noexcept { return static_cast<Step>(word & ((1u << kStepBits) - 1)); }

 private:
  static constexpr unsigned kStepBits = 3;
  std::uint64_t count_ = 0;  // tells two equal steps in a row apart
  std::atomic<std::uint64_t> word_{0};
};

/// Enters a step for the length of a block, and lapse's own work behind it.
class Within {
 public:
  Within(Pulse* pulse, Step step) noexcept : pulse_(pulse) {
    if (pulse_ != nullptr) pulse_->enter(step);
  }
  ~Within() {
    if (pulse_ != nullptr) pulse_->enter(Step::Own);
  }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  Pulse* pulse_;
};

struct Expiry {
  Step step = Step::Own;
  std::string_view phase;             // "warm-up": as Watchdog::phase says; may be empty
  Duration waited{};                  // at least the limit
  std::optional<Measurement> so_far;  // complete batches of timed runs, where there are any; Stop::Failed, the failure left open
};

/// What the program says of it, in one line, and that nothing could be cleaned up. Code: DeviceUnusable for Wait, else EngineUnusable.
Error timed_out(const Expiry& expiry, Duration limit, std::string_view model);

class Watchdog {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Expired = std::function<void(Expiry)>;

  /// `expired` is called once, from the side thread, and is expected to end the process. Whoever publishes or withdraws meanwhile waits for
  /// it to return. `threads` is how many threads have a pulse; the first is the one that measures.
  Watchdog(Duration limit, Expired expired, std::size_t threads = 1);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Lives as long as the watchdog; belongs to one thread.
  Pulse& pulse(std::size_t thread = 0) noexcept { return watched_[thread].pulse; }

  /// In which part of the measurement the steps to come lie: "the first inference", "warm-up". A text that lives for ever, for messages.
  void phase(const char* phase) noexcept { phase_.store(phase, std::memory_order_relaxed); }

  /// From here until withdraw `measurement` does not change, but for samples behind the first `complete`, and its samples don't move: what
  /// holds while a batch of runs is under way. It is copied only when a step has expired.
  void publish(const Measurement& measurement, std::size_t complete);
  void withdraw();

  /// What the side thread does now and then, by a time of its own choice: is there a step that has hung for the limit? Public for tests.
  std::optional<Expiry> look(Instant now);

 private:
  struct Watched {
    Pulse pulse;
    std::uint64_t seen = 0;  // the word at the last look …
    Instant since{};         // … and when it was first seen
  };

  void serve();

  const Duration limit_;
  const Expired expired_;
  std::vector<Watched> watched_;
  std::atomic<const char*> phase_{""};
  std::mutex mutex_;  // the published measurement, and the side thread's end
  std::condition_variable closing_changed_;
  bool closing_ = false;
  const Measurement* published_ = nullptr;
  std::size_t complete_ = 0;
  std::thread side_;  // last: it uses all of the above
};

}  // namespace lapse::measuring
