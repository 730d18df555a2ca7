#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <lapse/host/control_group.hpp>
#include <lapse/host/interruptions.hpp>
#include <lapse/host/kernel_text.hpp>

namespace lapse::host {

InterruptionCounters::InterruptionCounters() : group_(std::make_unique<ControlGroup>()) {}
InterruptionCounters::~InterruptionCounters() = default;

Interruptions InterruptionCounters::read() const {
  static const Duration tick = std::chrono::nanoseconds{std::chrono::seconds{1}} / std::max(1L, sysconf(_SC_CLK_TCK));
  Interruptions now;
  now.stolen = tick * static_cast<Duration::rep>(cpu_ticks(text_of("/proc/stat")).steal);
  now.throttled_periods = group_->throttled_periods();
  if (rusage usage{}; getrusage(RUSAGE_SELF, &usage) == 0) now.involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
  return now;
}

}  // namespace lapse::host
