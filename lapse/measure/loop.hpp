#pragma once
// The timed loop itself: nothing but clock readings, marks and submits.

#include <atomic>
#include <cstddef>
#include <lapse/base/error.hpp>
#include <lapse/measure/plan.hpp>
#include <lapse/measure/sample.hpp>
#include <lapse/measure/subject.hpp>
#include <memory>
#include <span>

namespace lapse::measuring {

/// When a batch of runs ends early. Looked at after every run, with the reading that the run ended with.
struct Limits {
  device::Instant deadline{};
  const std::atomic<bool>* stop = nullptr;  // may be null

  bool reached(device::Instant now) const noexcept { return now >= deadline || (stop != nullptr && stop->load(std::memory_order_relaxed)); }
};

/// One way of running a subject. Belongs to one thread; the subject outlives it.
class Loop {
 public:
  virtual ~Loop() = default;
  /// Runs until `samples` is full or a limit is reached, and returns how many were filled (at least one). All of them are complete on
  /// return. Inference numbers go on from `first`. Allocates, locks and writes nothing between clock readings.
  virtual Result<std::size_t> run(std::span<Sample> samples, std::size_t first, const Limits& limits) = 0;
};

/// One at a time, or `plan.in_flight` at once: on an asynchronous subject from one thread, on a blocking one from a thread each.
Result<std::unique_ptr<Loop>> make_loop(Subject& subject, const Plan& plan);

}  // namespace lapse::measuring
