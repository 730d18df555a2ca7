#include <algorithm>
#include <cassert>
#include <cmath>
#include <lapse/stats/quantile.hpp>
#include <limits>
#include <numbers>

namespace lapse::stats {
namespace {

// Tails of exact arithmetic that equal the limit (1/4 against a half of 50 %) must not miss it by a rounding error.
constexpr double kRoundingSlack = 1.0 + 1e-11;

double limit_of_tail(double confidence) { return (1.0 - confidence) / 2.0 * kRoundingSlack; }

// ln(n!) minus Stirling's formula. The plain ln(n!) of n = 1e9 is 2e10, of which a double leaves no nine digits behind the point.
double stirling_error(double n) {
  constexpr double kLargestByFactorial = 15.0;  // beyond it five terms of the series are exact to a double
  if (n <= kLargestByFactorial)
    return std::log(std::tgamma(n + 1.0)) - (n + 0.5) * std::log(n) + n - 0.5 * std::log(2.0 * std::numbers::pi);
  const double square = n * n;
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / square) / square) / square) / square) / n;
}

// x ln(x / mean) + mean - x, without cancellation where x is near the mean.
double deviance(double x, double mean) {
  constexpr double kNear = 0.1;
  if (std::abs(x - mean) >= kNear * (x + mean)) return x * std::log(x / mean) + mean - x;
  const double v = (x - mean) / (x + mean);
  double sum = (x - mean) * v;
  double power = 2.0 * x * v;
  for (double odd = 3.0;; odd += 2.0) {
    power *= v * v;
    const double next = sum + power / odd;
    if (next == sum) return sum;
    sum = next;
  }
}

// P(Binomial(n, p) = k) by the saddle point: C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000), equation 4.
double binomial_pmf(double k, double n, double p) {
  if (k == 0.0) return std::exp(n * std::log1p(-p));
  if (k == n) return std::exp(n * std::log(p));
  const double exponent =
      stirling_error(n) - stirling_error(k) - stirling_error(n - k) - deviance(k, n * p) - deviance(n - k, n * (1.0 - p));
  return std::exp(exponent) * std::sqrt(n / (2.0 * std::numbers::pi * k * (n - k)));
}

// P(Binomial(n, p) ≤ k) for k not above the mean, where the terms only shrink on the way down: some nine standard deviations of them.
double lower_tail(std::size_t k, std::size_t n, double p) {
  const double count = static_cast<double>(n);
  const double odds = (1.0 - p) / p;
  double term = binomial_pmf(static_cast<double>(k), count, p);
  double sum = term;
  for (double j = static_cast<double>(k); j > 0.0 && term > sum * 1e-17; j -= 1.0) {
    term *= j / (count - j + 1.0) * odds;
    sum += term;
  }
  return sum;
}

// The largest rank l with P(Binomial(n, p) ≤ l - 1) ≤ tail; the caller knows that rank 1 is one. tail < 1/2.
std::size_t lower_rank(std::size_t n, double p, double tail) {
  std::size_t within = 1;
  std::size_t beyond = std::min(n, static_cast<std::size_t>(std::ceil(static_cast<double>(n) * p))) + 1;  // at the mean: half of it or more
  while (beyond - within > 1) {
    const std::size_t middle = within + (beyond - within) / 2;
    (binomial_cdf(middle - 1, n, p) <= tail ? within : beyond) = middle;
  }
  return within;
}

}  // namespace

double Estimate::relative_error() const noexcept {
  const double side = std::max(value - low, high - value);
  if (side == 0.0) return 0.0;
  return value == 0.0 ? std::numeric_limits<double>::infinity() : side / std::abs(value);
}

double binomial_cdf(std::size_t k, std::size_t n, double p) {
  assert(p > 0.0 && p < 1.0);
  if (k >= n) return 1.0;
  if (static_cast<double>(k) <= static_cast<double>(n) * p) return std::min(1.0, lower_tail(k, n, p));
  return std::max(0.0, 1.0 - lower_tail(n - k - 1, n, 1.0 - p));
}

std::optional<RankInterval> rank_interval(std::size_t n, double p, double confidence) {
  if (n < runs_needed(p, confidence)) return std::nullopt;
  const double tail = limit_of_tail(confidence);
  // Read from the top, the sample is one of the mirrored distribution.
  return RankInterval{lower_rank(n, p, tail), n + 1 - lower_rank(n, 1.0 - p, tail)};
}

std::size_t runs_needed(double p, double confidence) {
  assert(p > 0.0 && p < 1.0 && confidence > 0.0 && confidence < 1.0);
  // The rarer side decides: all n samples on the other side must be less likely than the tail.
  return static_cast<std::size_t>(std::max(1.0, std::ceil(std::log(limit_of_tail(confidence)) / std::log(std::max(p, 1.0 - p)))));
}

double quantile(std::span<const double> sorted, double p) {
  assert(!sorted.empty() && p >= 0.0 && p <= 1.0);
  const double place = static_cast<double>(sorted.size() - 1) * p;
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

tl::expected<Estimate, Needs> estimate_quantile(std::span<const double> sorted, double p, double confidence) {
  return estimate_dependent_quantile(sorted, p, static_cast<double>(sorted.size()), confidence);
}

tl::expected<Estimate, Needs> estimate_dependent_quantile(std::span<const double> sorted, double p, double effective, double confidence) {
  const auto worth = static_cast<std::size_t>(effective);
  const auto ranks = rank_interval(worth, p, confidence);
  const double n = static_cast<double>(sorted.size());
  if (!ranks) {
    const double each = worth == 0 ? 1.0 : n / effective;  // runs for one that counts
    return tl::unexpected(Needs{static_cast<std::size_t>(std::ceil(static_cast<double>(runs_needed(p, confidence)) * each))});
  }
  const double scale = (n + 1.0) / (static_cast<double>(worth) + 1.0);  // exactly 1 of independent samples
  const auto lower = static_cast<std::size_t>(std::floor(static_cast<double>(ranks->lower) * scale));
  const auto upper = static_cast<std::size_t>(std::ceil(static_cast<double>(ranks->upper) * scale));
  const double low = sorted[std::max<std::size_t>(lower, 1) - 1];
  const double high = sorted[std::min(upper, sorted.size()) - 1];
  // At a low confidence both ranks can lie on one side of the interpolated value.
  return Estimate{std::clamp(quantile(sorted, p), low, high), low, high, effective};
}

}  // namespace lapse::stats
