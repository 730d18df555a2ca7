#pragma once
// What an asynchronous device can do beyond marking time. The audit asks it questions, `lapse doctor` makes it do work of known length, and
// a graph is captured through it. Belongs to its timeline and to that timeline's thread, unless a line says otherwise.

#include <cstddef>
#include <cstdint>
#include <lapse/device/timeline.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lapse::device {

struct DeviceInfo {
  std::string name;                // "NVIDIA H100 80GB HBM3"
  std::string driver, runtime;     // "580.159", "13.0"; empty where there is none
  std::uint64_t memory_bytes = 0;  // of the device, in all
  Duration timer_step{};           // of the timer that spin() and spun() go by; 0 where it is exact or not known
};

/// Names a captured graph of the timeline that made it; valid for that timeline's life.
struct Graph {
  std::uint32_t index = 0;
};

/// Why a device runs below the clock that it could: bits of ClockReading::reasons.
enum class ClockReason : std::uint32_t {
  PowerCap = 1,          // at its power limit
  Thermal = 2,           // too hot, slowed down by software
  HardwareSlowdown = 4,  // thermal or power brake, slowed down by hardware
  Settings = 8,          // somebody locked the clock lower
};

struct ClockReading {
  Instant at{};               // by the timeline's now()
  double mhz = 0.0;           // of the processors
  std::uint32_t reasons = 0;  // ClockReason bits
};

/// Reads the device's clock without touching its streams. `read` may be called from any one thread, also while another uses the timeline.
class ClockMonitor {
 public:
  virtual ~ClockMonitor() = default;
  /// Highest clock of the processors, MHz; 0 where it is not known.
  virtual double max_mhz() const noexcept = 0;
  virtual Result<ClockReading> read() = 0;
};

/// A second witness of how long work ran: what the vendor's profiling interface recorded of each piece of device work.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual std::string name() const = 0;  // "CUPTI activity"
  /// From here on work is recorded. Costs time: never during a measurement.
  virtual Result<void> start() = 0;
  /// Synchronises, stops, and returns how long each kernel ran, in the order of their start.
  virtual Result<std::vector<Duration>> stop() = 0;
};

class Controls {
 public:
  virtual ~Controls() = default;

  virtual DeviceInfo info() = 0;
  /// Bytes of the device's memory in use, by everybody. Error: DeviceUnusable.
  virtual Result<std::uint64_t> memory_used() = 0;

  /// Blocks until *every* stream of the device is idle, those that somebody else made too.
  virtual Result<void> synchronize_device() = 0;

  /// Keeps the stream busy for `duration` (at most kLongestSpin) of device time, by the device's own timer: bounded, so that nobody
  /// has to release it and a caller that synchronises meanwhile only waits. Does not block.
  virtual Result<void> spin(Duration duration, std::size_t stream = 0) = 0;
  /// How long the last spin really took by the device's own timer. After it is done.
  virtual Result<Duration> spun() = 0;
  /// Work that does nothing: what is left of its time is the measurement's own.
  virtual Result<void> empty_work(std::size_t stream = 0) = 0;

  /// Between the two, what is submitted to the stream is noted instead of done. Error of end_capture: Unsupported with the reason when
  /// what was submitted can't be captured (it synchronised, say); the stream is usable again.
  virtual Result<void> begin_capture(std::size_t stream = 0) = 0;
  virtual Result<Graph> end_capture(std::size_t stream = 0) = 0;
  /// Submits all of a captured graph in one call; does not block.
  virtual Result<void> launch(Graph graph, std::size_t stream = 0) = 0;

  /// How long wait, synchronize and everything else that blocks goes on before a device that doesn't finish counts as lost
  /// (DeviceUnusable). On a simulated device, which can't hang, it does nothing.
  virtual void set_timeout(Duration) noexcept {}

  /// Null where the driver's management library is not there. Lives as long as the timeline.
  virtual ClockMonitor* clocks() noexcept { return nullptr; }
  /// Null where the vendor's profiling library is not there. Lives as long as the timeline.
  virtual Witness* witness() { return nullptr; }
};

inline constexpr Duration kLongestSpin = std::chrono::milliseconds{200};
/// Longer than any sound inference, shorter than a night: until set_timeout says otherwise.
inline constexpr Duration kDeviceTimeout = std::chrono::seconds{60};

}  // namespace lapse::device
