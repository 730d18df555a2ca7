#pragma once
// What the kernel tells in text files (/proc, /sys): reading and parsing apart, so that a test can parse literal text.
// A text that is empty or says something else gives an empty value, never an error: absent files are normal. Internal to this floor.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace lapse::host {

/// The whole file, without white space at its end; empty when it can't be read.
std::string text_of(const std::filesystem::path& file);

/// The number of a line such as "MemAvailable:   16318 kB" (/proc/meminfo, /proc/self/status), in bytes.
std::optional<std::uint64_t> kilobyte_field(std::string_view text, std::string_view name);
/// The number of a line such as "nr_throttled 12" (cpu.stat, memory.stat).
std::optional<std::uint64_t> counter_field(std::string_view text, std::string_view name);
/// A whole text that is one non-negative decimal number.
std::optional<std::uint64_t> whole_number(std::string_view text);

struct CpuTicks {
  std::uint64_t steal = 0;
  std::uint64_t busy = 0;   // user + nice + system + irq + softirq + steal; guest time is inside user already
  std::uint64_t total = 0;  // busy + idle + iowait
};
/// The "cpu" line of /proc/stat: all CPUs together.
CpuTicks cpu_ticks(std::string_view stat);

/// "model name" of /proc/cpuinfo; on Arm, which has none there, "Arm implementer 0x41 part 0xd0c".
std::string cpu_model(std::string_view cpuinfo);
/// PRETTY_NAME of /etc/os-release, without its quotes.
std::string os_name(std::string_view os_release);
/// Name of the hypervisor with this CPUID signature (leaf 0x40000000: EBX, ECX, EDX); "unknown" for one that is not in the list.
std::string hypervisor_name(std::string_view signature);

}  // namespace lapse::host
