#include <ctime>
#include <lapse/host/rest.hpp>
#include <thread>

namespace lapse::host {
namespace {

constexpr Duration kLook = std::chrono::milliseconds{1};
constexpr int kAtRest = 10;  // of that time a tenth: sleeping and looking take a fiftieth

Duration reading(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

bool come_to_rest(Duration limit) {
  const Duration end = reading(CLOCK_MONOTONIC) + limit;
  while (true) {
    const Duration begin = reading(CLOCK_MONOTONIC), used = reading(CLOCK_PROCESS_CPUTIME_ID);
    std::this_thread::sleep_for(kLook);
    const Duration now = reading(CLOCK_MONOTONIC);
    if (kAtRest * (reading(CLOCK_PROCESS_CPUTIME_ID) - used) < now - begin) return true;
    if (now >= end) return false;
  }
}

}  // namespace lapse::host
