#include <algorithm>
#include <cmath>
#include <lapse/stats/summary.hpp>

namespace lapse::stats {

const NamedQuantile* find_quantile(std::string_view name) {
  const auto found = std::ranges::find(kQuantiles, name, &NamedQuantile::name);
  return found == kQuantiles.end() ? nullptr : &*found;
}

Summary summarise(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());

  Summary summary;
  summary.median = estimate_quantile(sorted, 0.5);
  summary.p90 = estimate_quantile(sorted, 0.9);
  summary.p95 = estimate_quantile(sorted, 0.95);
  summary.p99 = estimate_quantile(sorted, 0.99);
  summary.p999 = estimate_quantile(sorted, 0.999);
  if (sorted.empty()) return summary;

  summary.min = sorted.front();
  summary.max = sorted.back();
  double squares = 0.0;  // of the distances from the mean so far
  for (const double sample : sorted) {
    ++summary.count;
    const double from_old_mean = sample - summary.mean;
    summary.mean += from_old_mean / static_cast<double>(summary.count);
    squares += from_old_mean * (sample - summary.mean);
  }
  if (summary.count > 1) summary.standard_deviation = std::sqrt(squares / static_cast<double>(summary.count - 1));
  return summary;
}

std::vector<std::size_t> histogram(std::span<const double> sorted, double low, double high, std::size_t bins) {
  std::vector<std::size_t> counts(bins);
  if (bins == 0) return counts;
  const double cells_per_unit = high > low ? static_cast<double>(bins) / (high - low) : 0.0;
  const auto first = std::lower_bound(sorted.begin(), sorted.end(), low);
  const auto last = std::upper_bound(first, sorted.end(), high);
  for (auto sample = first; sample != last; ++sample) {
    const auto cell = static_cast<std::size_t>((*sample - low) * cells_per_unit);
    ++counts[std::min(cell, bins - 1)];
  }
  return counts;
}

}  // namespace lapse::stats
