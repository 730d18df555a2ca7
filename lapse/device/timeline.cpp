#include <time.h>

#include <lapse/device/timeline.hpp>

namespace lapse::device {

void Timeline::sleep(Duration duration) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  const timespec time{.tv_sec = static_cast<time_t>(seconds.count()), .tv_nsec = static_cast<long>((duration - seconds).count())};
  nanosleep(&time, nullptr);
}

}  // namespace lapse::device
