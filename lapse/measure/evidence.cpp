#include <lapse/measure/evidence.hpp>
#include <lapse/measure/median.hpp>

namespace lapse::measuring {

std::vector<Duration> Evidence::held() const {
  std::vector<Duration> times;
  for (const Backlog& backlog : backlogs) {
    if (backlog.held) times.push_back(backlog.device);
  }
  return times;
}

std::optional<Duration> Evidence::work() const {
  const auto times = held();
  if (times.empty()) return std::nullopt;
  return median_of(times);
}

}  // namespace lapse::measuring
