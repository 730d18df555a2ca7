#pragma once
// What a report says of one series of durations. Unit: that of the samples (nanoseconds everywhere in lapse).

#include <array>
#include <cstddef>
#include <lapse/stats/quantile.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace lapse::stats {

using QuantileEstimate = tl::expected<Estimate, Needs>;

struct Summary {
  std::size_t count = 0;
  QuantileEstimate median, p90, p95, p99, p999;
  double min = 0.0;
  double max = 0.0;
  double mean = 0.0;                // Welford's update, so that a large offset does not eat the digits
  double standard_deviation = 0.0;  // of the sample (n - 1); 0 for n < 2
};

/// The quantiles of a summary as people call them, ascending.
struct NamedQuantile {
  std::string_view name;
  double p;
  QuantileEstimate Summary::*estimate;
};
inline constexpr std::array kQuantiles{NamedQuantile{"p50", 0.5, &Summary::median}, NamedQuantile{"p90", 0.9, &Summary::p90},
                                       NamedQuantile{"p95", 0.95, &Summary::p95}, NamedQuantile{"p99", 0.99, &Summary::p99},
                                       NamedQuantile{"p99.9", 0.999, &Summary::p999}};
/// Null when there is none of that name.
const NamedQuantile* find_quantile(std::string_view name);

/// `series` in the order of measurement: how alike neighbours are decides how wide an interval is (dependence.hpp). A sorted copy is made.
/// An empty series gives count 0, zeros, and Needs for every quantile.
Summary summarise(std::span<const double> series);
/// The same of a series too long for a copy: it is sorted afterwards.
Summary summarise_in_place(std::span<double> series);

/// Does the series give the p-quantile an interval? Asked of the least of kQuantiles that is not below p.
bool supports(const Summary& summary, double p);

/// Counts of `sorted` (ascending) in `bins` equal cells over [low, high]; the last cell is closed; what lies outside is not counted.
std::vector<std::size_t> histogram(std::span<const double> sorted, double low, double high, std::size_t bins);

}  // namespace lapse::stats
