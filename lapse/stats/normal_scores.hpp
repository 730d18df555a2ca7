#pragma once
// Ranks made normal (van der Waerden's scores): whatever the distribution of a series was, theirs is the standard normal one, and their
// order in time is kept. Spikes lose their size, but not their rank.

#include <span>
#include <vector>

namespace lapse::stats {

/// Φ⁻¹(p). 0 < p < 1.
double normal_quantile(double p);

/// Φ⁻¹(rank / (n + 1)), in the order of `series`; equal values have the mean of their ranks.
std::vector<double> normal_scores(std::span<const double> series);

}  // namespace lapse::stats
