#pragma once
// Which timed runs were disturbed, and by what: counters are read before and after each batch of runs, never between two readings of the
// clock and from no thread of its own, so what is known of a batch holds for all of its runs. Thresholds and their reasons:
// disturbances.cpp.

#include <functional>
#include <lapse/device/controls.hpp>
#include <lapse/device/timeline.hpp>
#include <lapse/host/interruptions.hpp>
#include <lapse/measure/sample.hpp>
#include <lapse/measure/tag.hpp>
#include <span>
#include <vector>

namespace lapse::measuring {

/// Disturber bits that hold from one instant to the other.
struct Stretch {
  device::Instant from{}, to{};
  std::uint32_t reasons = 0;
};

/// One thread: that of the timed loop.
class Disturbances {
 public:
  using Read = std::function<host::Interruptions()>;

  /// The timeline outlives it. In virtual time nothing disturbs: `read` is not called.
  Disturbances(device::Timeline& timeline, Read read);

  /// Watches for as long as it lives. `disturbances` may be null.
  class Watch {
   public:
    explicit Watch(Disturbances* disturbances);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Disturbances* disturbances_;
    host::Interruptions before_;
    device::Instant begin_{};
  };

  /// Those that were disturbed, in order.
  const std::vector<Stretch>& stretches() const noexcept { return stretches_; }

 private:
  device::Timeline& timeline_;
  Read read_;  // null in virtual time
  std::vector<Stretch> stretches_;
};

/// What is to be said of the time from `begin` to `end`, between two readings of the counters.
std::uint32_t reasons(const host::Interruptions& before, const host::Interruptions& after, Duration length) noexcept;

/// Readings made during a timed run: between runs the device may rest. Both in order of time.
std::vector<device::ClockReading> during_runs(std::span<const device::ClockReading> readings, std::span<const Sample> samples);
/// The clock fell below this share of its highest reading during the runs: GPUs step it by one to two per cent all the time.
inline constexpr double kClockShare = 0.05;
/// Where the device's clock was low or held down: from the reading before such a one to the one after it. `readings` are those of
/// during_runs.
std::vector<Stretch> low_clocks(std::span<const device::ClockReading> readings);

/// The samples that overlap a stretch, each with the reasons of all that it overlaps. `samples` in the order of their submission.
std::vector<Tag> tag(std::span<const Sample> samples, std::span<const Stretch> stretches);

}  // namespace lapse::measuring
