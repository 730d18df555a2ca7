#pragma once
// Quantiles of a sample with distribution-free confidence intervals.
//
// Point estimate: Hyndman & Fan (1996) type 7, the default of NumPy and R, so that anyone can repeat it from the raw samples.
// Interval: two order statistics [x(l), x(u)], l the largest and u the smallest rank such that each tail of Binomial(n, p) beyond them
// holds at most (1 - confidence) / 2 (Conover, Practical Nonparametric Statistics, 3.2; Hahn & Meeker, Statistical Intervals, 5.2).
// It holds for any distribution and assumes independent samples. Where n is too small for both ranks to exist there is no interval, and
// so no estimate is given: a 95 % interval needs n ≥ 6 for the median, 36 for p90, 72 for p95, 368 for p99, 3,688 for p99.9.
//
// Where neighbours are alike, n samples are worth fewer independent ones (dependence.hpp): ranks are then those of so many, taken to the
// same shares of the sample.
//
// Nothing here reads a clock, allocates behind the caller's back or prints.

#include <cstddef>
#include <optional>
#include <span>
#include <tl/expected.hpp>

namespace lapse::stats {

inline constexpr double kConfidence = 0.95;

/// Ranks are 1-based: the interval is [sorted[lower - 1], sorted[upper - 1]].
struct RankInterval {
  std::size_t lower = 0;
  std::size_t upper = 0;
};

struct Estimate {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
  double effective = 0.0;  // independent samples that the interval is worth; 0: not told

  /// Half-width relative to the value: the larger of the two sides; infinite when the value is 0 and the interval is not a point.
  double relative_error() const noexcept;
};

/// The sample is too small; `runs` is the smallest that supports the quantile.
struct Needs {
  std::size_t runs = 0;
};

/// P(Binomial(n, p) ≤ k), absolute error below 1e-9 up to n = 1e9. 0 < p < 1.
double binomial_cdf(std::size_t k, std::size_t n, double p);

/// Nothing when n is too small. 0 < p < 1, 0 < confidence < 1.
std::optional<RankInterval> rank_interval(std::size_t n, double p, double confidence = kConfidence);

/// The smallest n for which rank_interval exists.
std::size_t runs_needed(double p, double confidence = kConfidence);

/// `sorted` ascending and not empty.
double quantile(std::span<const double> sorted, double p);

/// `sorted` ascending, may be empty. The value always lies within [low, high].
tl::expected<Estimate, Needs> estimate_quantile(std::span<const double> sorted, double p, double confidence = kConfidence);
/// Of a sample that is worth `effective` independent ones, from 1 to as many as there are.
tl::expected<Estimate, Needs> estimate_dependent_quantile(std::span<const double> sorted, double p, double effective,
                                                          double confidence = kConfidence);

}  // namespace lapse::stats
