#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <lapse/device/cuda/clocks.hpp>

namespace lapse::device::cuda {
namespace {

// Of NVML's interface, which NVIDIA keeps stable from one driver to the next: these calls and values.
using Status = int;
constexpr Status kSuccess = 0;
constexpr int kProcessors = 1;  // NVML_CLOCK_SM

constexpr unsigned long long kApplicationClocks = 0x2, kPowerCap = 0x4, kHardwareSlowdown = 0x8, kThermal = 0x20, kHardwareThermal = 0x40,
                             kPowerBrake = 0x80, kDisplayClocks = 0x100;

}  // namespace

Instant host_clock() noexcept { return std::chrono::steady_clock::now().time_since_epoch(); }

std::uint32_t clock_reasons(unsigned long long nvml_bits) noexcept {
  std::uint32_t reasons = 0;
  const auto map = [&](unsigned long long bits, ClockReason reason) {
    if ((nvml_bits & bits) != 0) reasons |= static_cast<std::uint32_t>(reason);
  };
  map(kPowerCap, ClockReason::PowerCap);
  map(kThermal, ClockReason::Thermal);
  map(kHardwareSlowdown | kHardwareThermal | kPowerBrake, ClockReason::HardwareSlowdown);
  map(kApplicationClocks | kDisplayClocks, ClockReason::Settings);
  return reasons;
}

struct NvmlClocks::Library {
  void* handle = nullptr;
  bool started = false;
  Status (*init)() = nullptr;
  Status (*shutdown)() = nullptr;
  Status (*find)(const char* pci_bus_id, void** device) = nullptr;
  Status (*clock)(void* device, int domain, unsigned* mhz) = nullptr;
  Status (*max_clock)(void* device, int domain, unsigned* mhz) = nullptr;
  Status (*reasons)(void* device, unsigned long long* bits) = nullptr;  // may be missing
  Status (*driver_version)(char* text, unsigned size) = nullptr;        // may be missing
  const char* (*error_text)(Status) = nullptr;                          // may be missing

  template <class Function>
  bool load(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    return function != nullptr;
  }

  bool open(const char* path) {
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return false;
    const bool whole = load(init, "nvmlInit_v2") && load(shutdown, "nvmlShutdown") && load(find, "nvmlDeviceGetHandleByPciBusId_v2") &&
                       load(clock, "nvmlDeviceGetClockInfo") && load(max_clock, "nvmlDeviceGetMaxClockInfo");
    if (!whole) return false;
    // Renamed in 2023; older drivers only have the second.
    if (!load(reasons, "nvmlDeviceGetCurrentClocksEventReasons")) load(reasons, "nvmlDeviceGetCurrentClocksThrottleReasons");
    load(driver_version, "nvmlSystemGetDriverVersion");
    load(error_text, "nvmlErrorString");
    started = init() == kSuccess;
    return started;
  }

  ~Library() {
    if (started) shutdown();
    if (handle != nullptr) dlclose(handle);
  }
};

NvmlClocks::NvmlClocks(std::unique_ptr<Library> library, void* device, Clock clock)
    : library_(std::move(library)), device_(device), clock_(clock) {
  unsigned mhz = 0;
  if (library_->max_clock(device_, kProcessors, &mhz) == kSuccess) max_mhz_ = mhz;
  std::array<char, 128> text{};
  if (library_->driver_version != nullptr && library_->driver_version(text.data(), text.size()) == kSuccess) driver_version_ = text.data();
}

NvmlClocks::~NvmlClocks() = default;

std::unique_ptr<NvmlClocks> NvmlClocks::open(const std::string& pci_bus_id, Clock clock, const char* library) {
  auto nvml = std::make_unique<Library>();
  void* device = nullptr;
  if (!nvml->open(library) || nvml->find(pci_bus_id.c_str(), &device) != kSuccess) return nullptr;
  return std::unique_ptr<NvmlClocks>(new NvmlClocks(std::move(nvml), device, clock));
}

Result<ClockReading> NvmlClocks::read() {
  ClockReading reading;
  reading.at = clock_();
  unsigned mhz = 0;
  const Status status = library_->clock(device_, kProcessors, &mhz);
  if (status != kSuccess) {
    const std::string why = library_->error_text != nullptr ? library_->error_text(status) : fmt::format("NVML status {}", status);
    return fail(ErrorCode::DeviceUnusable, fmt::format("can't read the device's clock: {}", why),
                "nvidia-smi -q -d CLOCK tells whether it is told");
  }
  reading.mhz = mhz;
  unsigned long long bits = 0;
  if (library_->reasons != nullptr && library_->reasons(device_, &bits) == kSuccess) reading.reasons = clock_reasons(bits);
  return reading;
}

}  // namespace lapse::device::cuda
