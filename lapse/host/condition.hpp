#pragma once
// In what condition is this machine: settings and counters that move a measured time without being part of what the machine is
// (lapse/host/fingerprint.hpp). Read without privileges. What can't be seen (containers, virtual machines) stays empty, never guessed.
//
// Source: the kernel's Documentation/ABI/testing/sysfs-devices-system-cpu, admin-guide/pm/{cpufreq,intel_pstate}.rst,
// admin-guide/mm/transhuge.rst, driver-api/thermal/sysfs-api.rst, timers/timekeeping.rst.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lapse::host {

struct Condition {
  std::string clock_source;                // "tsc", "kvm-clock", "hpet"
  std::vector<std::string> clock_sources;  // that the kernel would take instead, the one in use among them

  double lowest_mhz = 0.0, highest_mhz = 0.0;    // between which the governor of the first CPU may choose; 0: not visible
  std::optional<bool> turbo;                     // may the clock go beyond the nominal one
  std::optional<std::uint64_t> throttle_events;  // x86: slowed down by heat since the start, all CPUs; a shared core counts for each
  std::optional<double> celsius;                 // of the hottest thermal zone
  std::optional<double> celsius_left;            // the least that a zone is below the trip point at which it is slowed down

  std::map<int, std::vector<int>> siblings;  // by CPU: others that are online and share its core; CPUs without any are not in it

  std::string huge_pages;                       // transparent huge pages: "always", "madvise", "never"
  std::uint64_t swap_total = 0, swap_used = 0;  // bytes
  std::uint64_t swapped_pages = 0;              // moved in or out since the start
  std::optional<bool> random_layout;            // each process gets an address-space layout of its own
};

/// `root` stands for "/", so that a test can bring its own files.
Condition condition(const std::filesystem::path& root = "/");

}  // namespace lapse::host
