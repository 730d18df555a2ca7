#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <lapse/host/control_group.hpp>
#include <lapse/host/kernel_text.hpp>
#include <lapse/host/memory.hpp>
#include <string_view>

namespace lapse::host {
namespace {

std::uint64_t of_this_process(std::string_view field) { return kilobyte_field(text_of("/proc/self/status"), field).value_or(0); }

}  // namespace

std::uint64_t resident() { return of_this_process("VmRSS"); }

std::uint64_t peak_resident() { return of_this_process("VmHWM"); }

bool reset_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << '5' << std::flush;  // proc(5): "5" sets the peak to the current value
  return file.good();
}

std::optional<std::uint64_t> available() {
  const auto machine = kilobyte_field(text_of("/proc/meminfo"), "MemAvailable");
  const auto group = ControlGroup().memory_left();
  if (machine && group) return std::min(*machine, *group);
  return machine ? machine : group;
}

void limit_to_available(std::uint64_t most) {
  const auto left = available();
  rlimit limit{};
  if (!left || getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, of_this_process("VmData") + std::min(*left, most));
  setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace lapse::host
