#pragma once
// One stream of the simulated device: an order of work whose every piece takes exactly as long as it says.
//
// Work starts when it is enqueued or when the work before it on its stream is done, whichever is later. Streams don't slow each other down:
// the device is always large enough. A mark that finds its stream busy is stamped when the work before it is done. A mark that finds it
// idle travels in the same command buffer as the work after it and is stamped when that starts; if it is waited for first, when it was
// recorded. So the time between two marks round one piece of work is that work's own duration, whatever its submission took, and the time
// between two marks round several pieces holds the gaps that a slow host leaves between them.
//
// Streams can be made to follow each other: a piece of work without length waits for another stream's mark.
//
// Two kinds of time. Real: a thread of its own completes the work when the host's clock gets there; the host runs on meanwhile. Virtual: no
// thread and no waiting; time moves only when somebody spends it, so every result is exact.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <lapse/device/timeline.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace lapse::device {

/// The clock that all streams of one simulated device share.
class SimClock {
 public:
  enum class Time { Real, Virtual };
  explicit SimClock(Time time) : time_(time) {}

  bool is_virtual() const noexcept { return time_ == Time::Virtual; }
  Instant now() const noexcept;
  /// Spins in real time, moves the clock in virtual time.
  void spend(Duration duration) noexcept;
  /// Virtual time only: not before `instant`.
  void move_to(Instant instant) noexcept;

 private:
  const Time time_;
  Instant virtual_now_{};
};

class SimStream;

/// A piece of work: `done(context)` runs on the device when it completes.
struct SimWork {
  Duration duration{};
  void (*done)(void*) = nullptr;
  void* context = nullptr;
};

/// When the device passed a mark, as far as that is known.
struct SimStamp {
  SimStream* stream = nullptr;
  Instant at{};
  std::uint64_t after = 0;  // number of pieces of work of the stream that precede it
};

/// What an engine on the simulated device sees: SimTimeline::stream() points to one. One host thread at a time. What an engine calls is
/// virtual: a library of the user's own would otherwise bring a copy of the code, whose wake-ups never reach the device's thread (libstdc++
/// counts who waits on an atomic in a table that each copy has for itself).
class SimStream {
 public:
  explicit SimStream(SimClock& clock);
  virtual ~SimStream();
  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;

  /// Host time, as a submit spends it.
  virtual void host_work(Duration duration) noexcept { clock_.spend(duration); }
  /// Work behind all earlier work. Does not block unless 1,024 pieces of work are waiting. Neither allocates nor locks, but while a graph
  /// is captured.
  virtual void enqueue(Duration duration, void (*done)(void*) = nullptr, void* context = nullptr) noexcept;
  /// Blocks until the stream is idle.
  virtual void drain() noexcept;

  /// A stream of the same device that no timeline marks: where work goes that events don't see.
  SimStream& side() noexcept { return *side_; }
  void set_side(SimStream& side) noexcept { side_ = &side; }
  /// For how long it has had nothing to do.
  Duration idle() const noexcept { return std::max(Duration{0}, clock_.now() - idle_from_); }
  /// Was the cache flushed since this was last asked?
  bool take_cold() noexcept { return std::exchange(cold_, false); }
  void set_cold() noexcept { cold_ = true; }

  void stamp(SimStamp& stamp);
  /// Work behind this starts when the device has passed `stamp`, of any stream. Nothing while a graph is captured. As when it is waited
  /// for, a mark that found its stream idle is from now on stamped when it was recorded.
  void follow(SimStamp& stamp) noexcept;
  void wait(SimStamp& stamp) noexcept;
  bool passed(SimStamp& stamp) noexcept;
  /// Makes room, so that stamping allocates nothing.
  void reserve_stamps(std::size_t count) { open_.reserve(count); }

  void begin_capture();
  /// False: it synchronised, which a capture can't note.
  bool end_capture(std::vector<SimWork>& works);

 private:
  struct Queued {
    SimWork work;
    Instant complete_at{};
    SimStream* follows = nullptr;  // not complete before so much of that stream is
    std::uint64_t after = 0;
  };

  void put(const Queued& queued) noexcept;

  void wait_for(std::uint64_t work) noexcept;
  void complete_next() noexcept;
  void forget(SimStamp& stamp) noexcept;
  void serve();  // the device's thread

  static constexpr std::uint64_t kQueue = 1024;

  SimClock& clock_;
  SimStream* side_ = this;
  bool cold_ = false;
  bool capturing_ = false;
  bool capture_failed_ = false;
  std::vector<SimWork> captured_;
  Instant idle_from_{};          // when all work so far is done
  std::vector<SimStamp*> open_;  // recorded on the idle stream, to be stamped by the next work
  std::array<Queued, kQueue> queue_;
  std::atomic<std::uint64_t> submitted_{0};  // pieces of work, ever; written by the host
  std::atomic<std::uint64_t> completed_{0};  // written by the device
  std::atomic<bool> closing_{false};
  std::thread device_;  // last: it uses all of the above
};

}  // namespace lapse::device
