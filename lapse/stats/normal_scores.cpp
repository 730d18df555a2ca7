#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <lapse/stats/normal_scores.hpp>
#include <numeric>

namespace lapse::stats {

double normal_quantile(double p) { return boost::math::quantile(boost::math::normal(), p); }

std::vector<double> normal_scores(std::span<const double> series) {
  std::vector<std::size_t> order(series.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t place) { return series[place]; });
  std::vector<double> scores(series.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first + 1;
    while (end < order.size() && series[order[end]] == series[order[first]]) ++end;
    const double rank = 0.5 * static_cast<double>(first + 1 + end);  // the mean of first + 1 … end
    const double score = normal_quantile(rank / static_cast<double>(series.size() + 1));
    for (; first < end; ++first) scores[order[first]] = score;
  }
  return scores;
}

}  // namespace lapse::stats
