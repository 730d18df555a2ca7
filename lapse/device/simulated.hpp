#pragma once
// A simulated asynchronous device: known work, done at known times, so that every rule of timing can be proved without a GPU.
//
// Model: one stream, in order. Work starts when it is enqueued or when the work before it is done, whichever is later, and takes exactly as
// long as it says. A mark that finds the device busy is stamped when the work before it is done. A mark that finds it idle travels in the
// same command buffer as the work after it and is stamped when that starts; if it is waited for first, when it was recorded.
// So the time between two marks round one piece of work is that work's own duration, whatever its submission took.
//
// Two kinds of time. Real: a thread of its own completes the work when the host's clock gets there; the host runs on meanwhile. Virtual: no
// thread and no waiting; time moves only when somebody spends it, so every result is exact.

#include <array>
#include <atomic>
#include <cstdint>
#include <lapse/device/timeline.hpp>
#include <thread>
#include <vector>

namespace lapse::device {

/// What an engine on the simulated device sees: SimTimeline::stream() points to one. One host thread at a time.
class SimStream {
 public:
  virtual ~SimStream() = default;
  /// Spends host time: spins in real time, moves the clock in virtual time.
  virtual void host_work(Duration duration) noexcept = 0;
  /// Work of `duration` behind all earlier work; `done(context)` runs on the device when it completes. Does not block unless 1,024 pieces
  /// of work are waiting. Neither allocates nor locks.
  virtual void enqueue(Duration duration, void (*done)(void*), void* context) noexcept = 0;
  /// Blocks until the device is idle.
  virtual void drain() noexcept = 0;
};

class SimTimeline final : public Timeline, private SimStream {
 public:
  enum class Time { Real, Virtual };

  explicit SimTimeline(Time time);
  ~SimTimeline() override;

  Instant now() noexcept override;
  Result<Mark> make_mark() override;
  Result<void> record(Mark mark) override;
  Result<void> wait(Mark mark) override;
  Result<void> synchronize() override;
  Result<Duration> elapsed(Mark from, Mark to) override;
  void* stream() noexcept override { return static_cast<SimStream*>(this); }

 private:
  struct Work {
    Instant complete_at{};
    void (*done)(void*) = nullptr;
    void* context = nullptr;
  };
  struct Stamp {
    Instant at{};
    std::uint64_t after = 0;  // number of pieces of work that precede it
  };

  void host_work(Duration duration) noexcept override;
  void enqueue(Duration duration, void (*done)(void*), void* context) noexcept override;
  void drain() noexcept override;

  void wait_for(std::uint64_t work) noexcept;
  void complete_next() noexcept;
  void serve();  // the device's thread

  static constexpr std::uint64_t kQueue = 1024;

  const Time time_;
  Instant virtual_now_{};
  Instant idle_from_{};  // when all work so far is done
  std::vector<Stamp> stamps_;
  std::vector<std::uint32_t> open_;  // marks recorded on the idle device, to be stamped by the next work
  std::array<Work, kQueue> queue_;
  std::atomic<std::uint64_t> submitted_{0};  // pieces of work, ever; written by the host
  std::atomic<std::uint64_t> completed_{0};  // written by the device
  std::atomic<bool> closing_{false};
  std::thread device_;  // last: it uses all of the above
};

}  // namespace lapse::device
