#pragma once
// An examination of the machine: what can be read of it, and what work of known amount says of it (lapse/measure/reference_work.hpp).

#include <atomic>
#include <functional>
#include <lapse/device/controls.hpp>
#include <lapse/host/condition.hpp>
#include <lapse/host/fingerprint.hpp>
#include <lapse/measure/clock_quality.hpp>
#include <lapse/measure/noise_floor.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace lapse::measuring {

/// How long arithmetic on CPU `cpu` takes while `neighbour` is busy, over how long it takes while it rests.
struct Company {
  int cpu = 0, neighbour = 0;
  Pairs pairs;
};

struct Examination {
  host::Fingerprint machine;
  std::vector<int> allowed;         // CPUs
  host::Condition before, after;    // what follows was measured between the two
  host::Disturbance disturbance{};  // meanwhile
  double load_1min = 0.0;           // before
  ClockQuality clock;
  std::vector<Duration> spins;      // a fixed loop, all along: its time is one over the clock's frequency
  Pairs arithmetic;                 // with itself
  std::optional<Pairs> memory;      // reads from random places with themselves; nothing where there is too little memory
  std::optional<Pairs> huge_pages;  // the same, memory in huge pages over memory without; nothing where there are none
  std::optional<Company> company;   // nothing with one CPU
  Duration spent{};
};

struct ExaminationHooks {
  std::function<void(std::string_view phase, Duration spent)> progress;  // "clock", "arithmetic", "memory", "huge_pages", "company"
  const std::atomic<bool>* stop = nullptr;
};

/// Keeps one CPU busy for about `time`, two of them for a tenth of it. Error: Interrupted.
Result<Examination> examine_machine(Duration time, const ExaminationHooks& hooks = {});

/// By how much a fixed loop's time varies: from its 5 % to its 95 % quantile, over the median. 0 for fewer than two.
double speed_spread(std::vector<Duration> spins);

/// A device with work on it.
struct DeviceState {
  device::DeviceInfo info;
  std::uint64_t memory_used = 0;  // by everybody, ourselves among them
  double max_mhz = 0.0;           // 0: not known
  std::optional<device::ClockReading> busy;
};
/// Takes about a second. Error: DeviceUnusable.
Result<DeviceState> examine_device(device::Timeline& timeline);

}  // namespace lapse::measuring
