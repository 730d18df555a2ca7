#pragma once
// Reads the device's clock from a thread of its own while something is measured, so that no reading makes the device wait.

#include <lapse/device/controls.hpp>
#include <memory>
#include <vector>

namespace lapse::measuring {

class ClockWatch {
 public:
  /// The monitor outlives it; null watches nothing.
  explicit ClockWatch(device::ClockMonitor* monitor);
  ~ClockWatch();
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;

  /// Stops watching. What could be read, in order; a monitor that fails is not asked again.
  std::vector<device::ClockReading> stop();

 private:
  struct Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace lapse::measuring
