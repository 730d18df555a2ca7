#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <lapse/host/control_group.hpp>
#include <lapse/host/interruptions.hpp>
#include <lapse/host/kernel_text.hpp>
#include <sstream>
#include <system_error>

namespace lapse::host {
namespace {

// The kernel's Documentation/scheduler/sched-stats.rst: time on a CPU, time waiting for one, time slices.
Duration waited() {
  namespace fs = std::filesystem;
  Duration::rep sum = 0;
  std::error_code none;
  for (fs::directory_iterator task("/proc/self/task", none), end; !none && task != end; task.increment(none)) {
    std::istringstream schedstat(text_of(task->path() / "schedstat"));
    Duration::rep ran = 0, wait = 0;
    if (schedstat >> ran >> wait) sum += wait;
  }
  return Duration{sum};
}

}  // namespace

InterruptionCounters::InterruptionCounters() : group_(std::make_unique<ControlGroup>()) {}
InterruptionCounters::~InterruptionCounters() = default;

Interruptions InterruptionCounters::read() const {
  static const Duration tick = std::chrono::nanoseconds{std::chrono::seconds{1}} / std::max(1L, sysconf(_SC_CLK_TCK));
  Interruptions now;
  now.stolen = tick * static_cast<Duration::rep>(cpu_ticks(text_of("/proc/stat")).steal);
  now.throttled_periods = group_->throttled_periods();
  if (rusage usage{}; getrusage(RUSAGE_SELF, &usage) == 0) now.involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
  now.waited = waited();
  return now;
}

}  // namespace lapse::host
