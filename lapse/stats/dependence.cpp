#include <algorithm>
#include <cmath>
#include <lapse/stats/dependence.hpp>
#include <lapse/stats/normal_scores.hpp>
#include <lapse/stats/quantile.hpp>
#include <lapse/stats/student.hpp>
#include <limits>
#include <numbers>
#include <numeric>

namespace lapse::stats {
namespace {

constexpr std::size_t kMostRuns = 100'000;
// Correlations that go on for longer are no dependence between neighbours, but a level that moves; the course of the series tells that.
constexpr std::size_t kMostLags = 1000;
constexpr double kChance = 2.0;  // standard errors

// The sum of autocovariances about a mean, in units of the variance.
struct Sum {
  double inflation = 1.0;
  std::vector<double> correlations;  // from lag 1 on
  double missing = 0.0;              // share of the whole that sample autocovariances lack
};

Sum initial_monotone_sequence(std::span<const double> series, double mean) {
  const double n = static_cast<double>(series.size());
  const auto covariance = [&](std::size_t lag) {
    double sum = 0.0;
    for (std::size_t i = lag; i < series.size(); ++i) sum += (series[i] - mean) * (series[i - lag] - mean);
    return sum / n;
  };
  Sum out;
  const double variance = covariance(0);
  if (!(variance > 0.0)) return out;
  double pairs = 0.0, previous = std::numeric_limits<double>::infinity();
  std::vector<double> correlations;
  const std::size_t most = std::min(kMostLags, series.size() / 4);
  for (std::size_t lag = 0; lag + 1 <= most; lag += 2) {
    const double even = lag == 0 ? 1.0 : covariance(lag) / variance;
    const double odd = covariance(lag + 1) / variance;
    if (even + odd <= 0.0) break;
    previous = std::min(previous, even + odd);
    pairs += previous;
    if (lag > 0) correlations.push_back(even);
    correlations.push_back(odd);
  }
  // What chance explains is no dependence: independent runs would pay for it with their percentiles. Each correlation has variance 1 / n.
  const double all = std::accumulate(correlations.begin(), correlations.end(), 0.0);
  if (all < kChance * std::sqrt(static_cast<double>(correlations.size()) / n)) return out;
  out.missing = std::min(0.5, (2.0 * static_cast<double>(correlations.size()) + 1.0) / n);
  out.inflation = (2.0 * pairs - 1.0) / (1.0 - out.missing);
  for (double& correlation : correlations) correlation += out.inflation / n;
  out.correlations = std::move(correlations);
  return out;
}

// Covariance of the indicators of two standard normals with that correlation.
double indicator_covariance(double z, double correlation) {
  constexpr int kSteps = 16;  // Simpson's rule: exact to six digits for |z| < 4
  const double end = std::asin(std::clamp(correlation, -1.0, 1.0));
  const auto density = [z](double t) {
    const double spread = 1.0 + std::sin(t);
    return spread <= 0.0 ? 0.0 : std::exp(-z * z / spread);
  };
  double sum = density(0.0) + density(end);
  for (int i = 1; i < kSteps; ++i) sum += (i % 2 == 1 ? 4.0 : 2.0) * density(end * i / kSteps);
  return sum * end / kSteps / 3.0 / (2.0 * std::numbers::pi);
}

// Student's t over the normal.
double widening(double degrees) {
  constexpr double kTail = (1.0 + kConfidence) / 2.0;
  return student_quantile(kTail, degrees) / normal_quantile(kTail);
}

}  // namespace

Dependence::Dependence(std::span<const double> series) : count_(series.size()) {
  const auto recent = series.last(std::min(series.size(), kMostRuns));
  recent_.assign(recent.begin(), recent.end());
  correlations_ = initial_monotone_sequence(normal_scores(recent_), 0.0).correlations;
}

double Dependence::effective_size(double p, double quantile) const {
  if (count_ == 0) return 0.0;
  std::vector<double> indicators(recent_.size());
  std::ranges::transform(recent_, indicators.begin(), [&](double value) { return value <= quantile ? 1.0 : 0.0; });
  const double share = std::accumulate(indicators.begin(), indicators.end(), 0.0) / static_cast<double>(indicators.size());
  const Sum own = initial_monotone_sequence(indicators, share);

  const double z = normal_quantile(p), variance = p * (1.0 - p);
  double implied = 1.0;
  for (const double correlation : correlations_) implied += 2.0 * indicator_covariance(z, correlation) / variance;

  const double n = static_cast<double>(recent_.size());
  if (own.correlations.empty() && correlations_.empty()) return static_cast<double>(count_);
  const std::size_t lags = std::max(own.correlations.size(), correlations_.size());
  const double degrees = std::max(1.0, n / (2.0 * static_cast<double>(lags) + 1.0));
  const double inflation = std::max({1.0, own.inflation, implied});
  const double factor = widening(degrees);
  const double count = static_cast<double>(count_);
  return std::clamp(count / inflation / (factor * factor), 1.0, count);
}

}  // namespace lapse::stats
