#pragma once
// The device's clock by NVML, the driver's management library. It comes with the driver and not with the toolkit, so it is opened when the
// program runs, and declared here as far as it is used: nothing of it is needed to build lapse.

#include <lapse/device/controls.hpp>
#include <memory>
#include <string>

namespace lapse::device::cuda {

using Clock = Instant (*)() noexcept;
/// CLOCK_MONOTONIC.
Instant host_clock() noexcept;

inline constexpr const char* kNvmlLibrary = "libnvidia-ml.so.1";

/// `read` may be called from any one thread; NVML itself is safe for any.
class NvmlClocks final : public ClockMonitor {
 public:
  /// Null where the library is absent or broken, or does not know the device.
  static std::unique_ptr<NvmlClocks> open(const std::string& pci_bus_id, Clock clock, const char* library = kNvmlLibrary);
  ~NvmlClocks() override;

  double max_mhz() const noexcept override { return max_mhz_; }
  /// Where the device doesn't tell its reasons there are none. Error: DeviceUnusable.
  Result<ClockReading> read() override;
  /// "580.159.03"; empty where it is not told.
  const std::string& driver_version() const noexcept { return driver_version_; }

 private:
  struct Library;
  NvmlClocks(std::unique_ptr<Library> library, void* device, Clock clock);

  std::unique_ptr<Library> library_;
  void* device_;
  Clock clock_;
  double max_mhz_ = 0.0;
  std::string driver_version_;
};

/// NVML's bits as bits of ours. Being idle, being told to keep step with another device and the like are no reasons.
std::uint32_t clock_reasons(unsigned long long nvml_bits) noexcept;

}  // namespace lapse::device::cuda
