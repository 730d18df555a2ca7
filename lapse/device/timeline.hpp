#pragma once
// A timeline is the host's clock together with one device's order of work.
//
// Times come in two kinds. `now()` is the host's clock. A `Mark` is a point in the device's own order of work; `elapsed(a, b)` is the time
// that the device took between two of them. On the host timeline a mark is a clock reading, because work is done when the call returns.
//
// A timeline belongs to one thread at a time. `now`, `record`, `wait` and `synchronize` neither allocate nor write, so they can stand
// between two clock readings.

#include <cstdint>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <memory>
#include <string_view>

namespace lapse::device {

/// Nanoseconds since an epoch that only the timeline knows; differences are what counts.
using Instant = Duration;

/// Names a mark of the timeline that made it; valid for that timeline's life.
struct Mark {
  std::uint32_t index = 0;
};

class Timeline {
 public:
  virtual ~Timeline() = default;

  /// The host's clock: monotonic, nanoseconds.
  virtual Instant now() noexcept = 0;

  /// A new mark, not yet recorded. May allocate: make marks before measuring. Error: OutOfMemory, DeviceUnusable.
  virtual Result<Mark> make_mark() = 0;
  /// Places the mark behind all work submitted so far; does not block. An earlier recording of it is forgotten.
  virtual Result<void> record(Mark mark) = 0;
  /// Blocks until the device has passed the mark. Error: DeviceUnusable when the device was lost on the way.
  virtual Result<void> wait(Mark mark) = 0;
  /// Blocks until all work submitted so far is done.
  virtual Result<void> synchronize() = 0;
  /// Device time from one passed mark to a later one.
  virtual Result<Duration> elapsed(Mark from, Mark to) = 0;

  /// What the engine's submit is given: a cudaStream_t, a SimStream*, or null where there is no stream.
  virtual void* stream() noexcept { return nullptr; }
};

/// The timeline of the device that a session runs on: "cpu", "sim", "sim:virtual". Error: DeviceUnusable for any other.
Result<std::unique_ptr<Timeline>> open_timeline(std::string_view device);

}  // namespace lapse::device
