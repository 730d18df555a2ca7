#pragma once
// What machine is this: everything of the surroundings that moves a measured time, as far as it can be read without privileges.
// Absent files are normal (containers, virtual machines): what can't be read stays empty, never guessed.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lapse::host {

struct Fingerprint {
  std::string cpu;  // "AMD EPYC 9B14"
  int cpus_online = 0;
  int cpus_allowed = 0;                       // after affinity and cpuset
  std::optional<double> cpu_limit;            // CPUs that the control group grants (cpu.max), 1.5 = one and a half
  std::optional<std::uint64_t> memory_limit;  // bytes that the control group grants (memory.max)
  std::uint64_t memory_total = 0;             // bytes
  std::string governor;                       // of the first allowed CPU: "performance", "powersave", …; empty: not visible
  std::string hypervisor;                     // "kvm", "unknown" when the CPU says that there is one; empty: none seen
  std::string os;                             // PRETTY_NAME of /etc/os-release
  std::string kernel;                         // uname release
  std::string libc;                           // "glibc 2.36"
  std::string compiler;                       // that built lapse: "GNU 12.2.0"
  std::string build_type;                     // "Release", …
  std::string lapse_version;
  std::string git_commit;  // of lapse; "-dirty" behind it when the tree was; empty outside a checkout
};

Fingerprint fingerprint();

/// Counters of the whole machine and of the control group, to be read before and after a measurement.
struct Activity {
  std::uint64_t steal_ticks = 0;        // /proc/stat, all CPUs
  std::uint64_t busy_ticks = 0;         // user + nice + system + irq + softirq + steal
  std::uint64_t total_ticks = 0;        // all, idle included
  std::uint64_t own_ticks = 0;          // user and system time of this process, same unit
  std::uint64_t throttled_periods = 0;  // cpu.stat nr_throttled
  double load_1min = 0.0;
};

Activity activity();

/// What happened between two readings, as shares of the machine's CPU time in 0 … 1.
struct Disturbance {
  double steal = 0.0;           // taken by the hypervisor
  double others = 0.0;          // used by other processes
  std::uint64_t throttled = 0;  // periods in which the control group held us back
};

Disturbance between(const Activity& before, const Activity& after);

}  // namespace lapse::host
