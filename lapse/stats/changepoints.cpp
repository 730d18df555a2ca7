#include <algorithm>
#include <cmath>
#include <lapse/stats/changepoints.hpp>
#include <limits>

namespace lapse::stats {
namespace {

constexpr double kPenalty = 15.0;        // times ln n
constexpr double kLeastVariance = 1e-6;  // of the whole, which is about 1

// -2 ln L of any stretch in constant time, by sums from the beginning.
class Costs {
 public:
  explicit Costs(std::span<const double> series) : sums_(series.size() + 1), squares_(series.size() + 1) {
    for (std::size_t i = 0; i < series.size(); ++i) {
      sums_[i + 1] = sums_[i] + series[i];
      squares_[i + 1] = squares_[i] + series[i] * series[i];
    }
  }
  double operator()(std::size_t first, std::size_t end) const {
    const double count = static_cast<double>(end - first);
    const double mean = (sums_[end] - sums_[first]) / count;
    const double variance = (squares_[end] - squares_[first]) / count - mean * mean;
    return count * (std::log(std::max(variance, kLeastVariance)) + 1.0);
  }

 private:
  std::vector<double> sums_, squares_;
};

}  // namespace

std::vector<std::size_t> changepoints(std::span<const double> series, std::size_t shortest) {
  const std::size_t n = series.size();
  if (n < 2 * shortest) return {};
  const Costs cost(series);
  const double penalty = kPenalty * std::log(static_cast<double>(n));
  std::vector<double> best(n + 1, std::numeric_limits<double>::infinity());  // of the first `end` values
  std::vector<std::size_t> last(n + 1, 0);                                   // where their last segment begins
  best[0] = -penalty;
  struct Candidate {
    std::size_t at, until;  // the last end that it is looked at for
  };
  std::vector<Candidate> candidates{{0, n}};
  std::vector<double> totals;
  for (std::size_t end = shortest; end <= n; ++end) {
    if (end >= 2 * shortest) candidates.push_back({end - shortest, n});
    totals.resize(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      totals[i] = best[candidates[i].at] + cost(candidates[i].at, end);
      if (totals[i] + penalty < best[end]) {
        best[end] = totals[i] + penalty;
        last[end] = candidates[i].at;
      }
    }
    // What can't be the last change of anything longer is dropped: as soon as a change at `end`, which beats it, is a candidate itself.
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (totals[i] > best[end]) candidates[i].until = std::min(candidates[i].until, end + shortest - 1);
    }
    std::erase_if(candidates, [end](const Candidate& candidate) { return candidate.until <= end; });
  }
  std::vector<std::size_t> changes;
  for (std::size_t at = last[n]; at > 0; at = last[at]) changes.push_back(at);
  std::ranges::reverse(changes);
  return changes;
}

}  // namespace lapse::stats
