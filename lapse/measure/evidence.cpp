#include <algorithm>
#include <lapse/measure/evidence.hpp>

namespace lapse::measuring {

std::optional<Duration> Evidence::work() const {
  std::vector<Duration> held;
  for (const Backlog& backlog : backlogs) {
    if (backlog.held) held.push_back(backlog.device);
  }
  if (held.empty()) return std::nullopt;
  std::ranges::sort(held);
  return held[held.size() / 2];
}

}  // namespace lapse::measuring
