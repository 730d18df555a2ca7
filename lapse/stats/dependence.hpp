#pragma once
// How many independent samples a series is worth, when neighbours are alike.
//
// What counts for the interval of the p-quantile q is the series of its indicators, 1 where x ≤ q and 0 elsewhere: its mean is p, and the
// variance of that mean is p (1 - p) / n times the inflation tau = 1 + 2 (rho1 + rho2 + …) of the indicators' autocorrelations. Tails are
// less dependent than the middle: of AR(1) with 0.9 the inflation is 19 for the mean, 13.3 for the median, 5.9 for p99.
//
// Two estimates are made, and the larger is taken:
// - from the indicators themselves. In the tail they are few, and this one is too small when a run is short.
// - from the series' normal scores (ranks made normal), whose every run counts: under a Gaussian copula their autocorrelation rho implies
//   that of the indicators, cov = 1/2π ∫ exp(-z² / (1 + sin t)) dt from 0 to arcsin rho, z = Φ⁻¹(p) (Plackett, Biometrika 41:351, 1954).
// Both sum up autocovariances by Geyer's initial monotone sequence (Practical Markov Chain Monte Carlo, Statistical Science 7:473, 1992,
// section 3.3): pairs of neighbouring lags as long as they are positive, none larger than the one before. A sum of K sample
// autocovariances is too small by (2K + 1) / n of itself, as they are about the sample's own mean (Priestley, Spectral Analysis and Time
// Series, 1981, 5.3.3); that is put back. The sum is an estimate with n / (2K + 1) degrees of freedom (Priestley, 6.2.4, rectangular
// window), so that the interval has to be wider by Student's t over the normal; the effective size is smaller by the square of that.

#include <cstddef>
#include <span>
#include <vector>

namespace lapse::stats {

/// Of one series, in the order of measurement. Of more than 100,000 the last 100,000 are looked at. Keeps what it needs, not the series.
class Dependence {
 public:
  explicit Dependence(std::span<const double> series);

  /// Independent samples that the interval of the p-quantile is worth: from 1 up to as many as there are (0 of none). `quantile` is its
  /// estimate from the same series. 0 < p < 1.
  double effective_size(double p, double quantile) const;

 private:
  std::size_t count_;
  std::vector<double> recent_;
  std::vector<double> correlations_;  // of the normal scores, from lag 1 on, as far as they are told from 0
};

}  // namespace lapse::stats
