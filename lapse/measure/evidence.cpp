#include <algorithm>
#include <lapse/measure/evidence.hpp>

namespace lapse::measuring {

std::vector<Duration> Evidence::held() const {
  std::vector<Duration> times;
  for (const Backlog& backlog : backlogs) {
    if (backlog.held) times.push_back(backlog.device);
  }
  std::ranges::sort(times);
  return times;
}

std::optional<Duration> Evidence::work() const {
  const auto times = held();
  if (times.empty()) return std::nullopt;
  return times[times.size() / 2];
}

}  // namespace lapse::measuring
