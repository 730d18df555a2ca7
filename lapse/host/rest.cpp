#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <lapse/host/kernel_text.hpp>
#include <lapse/host/rest.hpp>
#include <string>
#include <system_error>
#include <thread>

namespace lapse::host {
namespace {

namespace fs = std::filesystem;

constexpr Duration kLook = std::chrono::milliseconds{1};
constexpr int kAtRest = 10;  // of that time a tenth: sleeping and looking take a fiftieth

Duration reading(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

/// A thread other than this one runs, or would if a CPU were free: on a busy machine it may use none for a while, and then one again.
bool others_runnable() {
  const std::string self = std::to_string(syscall(SYS_gettid));
  std::error_code none;
  for (fs::directory_iterator task("/proc/self/task", none), end; !none && task != end; task.increment(none)) {
    if (task->path().filename() == self) continue;
    const std::string stat = text_of(task->path() / "stat");  // "1234 (name) S …", where a name may hold anything
    const std::size_t name_end = stat.rfind(')');
    if (name_end != stat.npos && stat.compare(name_end, 3, ") R") == 0) return true;
  }
  return false;
}

}  // namespace

bool come_to_rest(Duration limit) {
  const Duration end = reading(CLOCK_MONOTONIC) + limit;
  while (true) {
    const Duration begin = reading(CLOCK_MONOTONIC), used = reading(CLOCK_PROCESS_CPUTIME_ID);
    std::this_thread::sleep_for(kLook);
    const Duration now = reading(CLOCK_MONOTONIC);
    if (kAtRest * (reading(CLOCK_PROCESS_CPUTIME_ID) - used) < now - begin && !others_runnable()) return true;
    if (now >= end) return false;
  }
}

}  // namespace lapse::host
