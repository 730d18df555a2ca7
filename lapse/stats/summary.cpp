#include <algorithm>
#include <cmath>
#include <lapse/stats/dependence.hpp>
#include <lapse/stats/moments.hpp>
#include <lapse/stats/summary.hpp>

namespace lapse::stats {

const NamedQuantile* find_quantile(std::string_view name) {
  const auto found = std::ranges::find(kQuantiles, name, &NamedQuantile::name);
  return found == kQuantiles.end() ? nullptr : &*found;
}

Summary summarise(std::span<const double> series) {
  std::vector<double> copy(series.begin(), series.end());
  return summarise_in_place(copy);
}

Summary summarise_in_place(std::span<double> series) {
  const Dependence dependence(series);
  std::sort(series.begin(), series.end());
  const std::span<const double> sorted = series;

  Summary summary;
  for (const NamedQuantile& each : kQuantiles) {
    const double effective = sorted.empty() ? 0.0 : dependence.effective_size(each.p, quantile(sorted, each.p));
    summary.*each.estimate = estimate_dependent_quantile(sorted, each.p, effective);
  }
  if (sorted.empty()) return summary;

  summary.min = sorted.front();
  summary.max = sorted.back();
  const Moments moments = moments_of(sorted);
  summary.count = sorted.size();
  summary.mean = moments.mean;
  summary.standard_deviation = std::sqrt(moments.variance);
  return summary;
}

bool supports(const Summary& summary, double p) {
  const auto found = std::ranges::find_if(kQuantiles, [p](const NamedQuantile& each) { return each.p >= p; });
  return found != kQuantiles.end() && (summary.*found->estimate).has_value();
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
