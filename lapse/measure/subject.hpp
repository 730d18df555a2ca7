#pragma once
// What is measured: anything that can be asked for one inference on a timeline. Measuring knows no engine.

#include <cstddef>
#include <lapse/base/error.hpp>
#include <lapse/device/timeline.hpp>

namespace lapse::measuring {

/// The parts of one inference on a device with memory of its own, in this order.
enum class Stage { H2D, Forward, D2H };

/// Threads: `submit` is called from one thread, but from `in_flight` threads, each with its own `slot`, in the offline scenario of a
/// blocking subject.
class Subject {
 public:
  virtual ~Subject() = default;

  /// Hands over inference number `iteration` (which chooses the input set) in `slot` (0 … slots() - 1), on the timeline's stream
  /// stream_of(slot). Blocks until it is done unless asynchronous(). The outputs of a slot are valid until its next submit.
  virtual Result<void> submit(std::size_t slot, std::size_t iteration) = 0;

  /// True: an inference has stages, and the three of them in order are one submit.
  virtual bool staged() const noexcept { return false; }
  virtual Result<void> submit(std::size_t slot, std::size_t iteration, Stage stage) {
    return stage == Stage::Forward ? submit(slot, iteration) : Result<void>{};
  }

  /// Makes the outputs of a finished inference usable on the host, where its submit has not. Blocks.
  virtual Result<void> fetch(std::size_t /*slot*/, std::size_t /*iteration*/) { return {}; }

  /// True: submit may return before the work is done; the timeline tells when it is.
  virtual bool asynchronous() const noexcept = 0;
  /// How many input sets the iterations take turns with.
  virtual std::size_t sets() const noexcept { return 1; }
  /// How many inferences can be in flight.
  virtual std::size_t slots() const noexcept = 0;
  virtual device::Timeline& timeline() noexcept = 0;

  /// Slots take the streams in turn.
  std::size_t stream_of(std::size_t slot) noexcept { return slot % timeline().streams(); }
};

}  // namespace lapse::measuring
