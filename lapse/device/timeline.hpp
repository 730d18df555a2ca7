#pragma once
// A timeline is the host's clock together with one device's order of work.
//
// Times come in two kinds. `now()` is the host's clock. A `Mark` is a point in the device's own order of work; `elapsed(a, b)` is the time
// that the device took between two of them. On the host timeline a mark is a clock reading, because work is done when the call returns.
//
// A device works on one or more streams: each in its own order, all of them at once. `stream` below is the number of one, from 0.
//
// A timeline belongs to one thread at a time, but for `now`, which any thread may call. `now`, `record`, `follow`, `passed`, `wait`,
// `wait_any` and `synchronize` neither allocate nor write, so they can stand between two clock readings.

#include <cstddef>
#include <cstdint>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <memory>
#include <span>
#include <string_view>

namespace lapse::device {

class Controls;

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
  /// True: time moves only when somebody spends it, whatever happens on the machine meanwhile.
  virtual bool is_virtual() const noexcept { return false; }
  /// The calling thread sleeps for so long, or until a signal comes; on a simulated device in virtual time the clock moves.
  virtual void sleep(Duration duration) noexcept;

  /// How many streams there are; 1 unless more were asked for.
  virtual std::size_t streams() const noexcept { return 1; }
  /// What the engine's submit is given: a cudaStream_t, a SimStream*, or null where there is no stream.
  virtual void* stream(std::size_t stream = 0) noexcept = 0;

  /// A new mark, not yet recorded. May allocate: make marks before measuring. Error: OutOfMemory, DeviceUnusable.
  virtual Result<Mark> make_mark() = 0;
  /// Places the mark behind all work submitted to the stream so far; does not block. An earlier recording of it is forgotten.
  virtual Result<void> record(Mark mark, std::size_t stream = 0) = 0;
  /// What is submitted to the stream from now on waits on the device until the mark, as it was last recorded, is passed; the host doesn't.
  virtual Result<void> follow(Mark mark, std::size_t stream) = 0;
  /// Has the device passed the mark? Does not block. Error: DeviceUnusable when the device was lost on the way.
  virtual Result<bool> passed(Mark mark) = 0;
  /// Blocks until the device has passed the mark. Error: as passed.
  virtual Result<void> wait(Mark mark) = 0;
  /// Blocks until the device has passed one of the marks (at least one is given), and returns its place among them. Error: as passed.
  virtual Result<std::size_t> wait_any(std::span<const Mark> marks) = 0;
  /// Blocks until all work submitted to our streams so far is done. Error: as passed.
  virtual Result<void> synchronize() = 0;
  /// Device time from one passed mark to a later one. The marks of one inference are close together, so that a device which tells times
  /// as 32-bit floats (CUDA: milliseconds) is exact to 6e-8 of that inference, however long the measurement goes on.
  virtual Result<Duration> elapsed(Mark from, Mark to) = 0;

  /// Puts work on the stream after which nothing that was there before is left in the device's last-level cache. On the host it blocks.
  virtual Result<void> flush_cache(std::size_t stream = 0) = 0;

  /// What an asynchronous device can do besides; null on the host. Lives as long as the timeline, belongs to the same thread.
  virtual Controls* controls() noexcept { return nullptr; }
};

/// The timeline of the device that a session runs on: "cpu", "sim", "sim:virtual", "cuda", "cuda:1". The host has one stream, whatever
/// `streams` says. Error: DeviceUnusable for one that is not there, or that this program was built without.
Result<std::unique_ptr<Timeline>> open_timeline(std::string_view device, std::size_t streams = 1);

}  // namespace lapse::device
