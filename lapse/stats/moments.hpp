#pragma once
// Mean and variance of a few values.

#include <span>

namespace lapse::stats {

struct Moments {
  double mean = 0.0;
  double variance = 0.0;  // of the sample (n - 1); 0 for n < 2
};

/// Welford's update: a large offset does not eat the digits, and the variance of equal values is 0 exactly.
inline Moments moments_of(std::span<const double> values) {
  Moments moments;
  double squares = 0.0, count = 0.0;
  for (const double value : values) {
    const double from_old_mean = value - moments.mean;
    moments.mean += from_old_mean / ++count;
    squares += from_old_mean * (value - moments.mean);
  }
  if (count > 1.0) moments.variance = squares / (count - 1.0);
  return moments;
}

}  // namespace lapse::stats
