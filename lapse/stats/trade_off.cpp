#include <algorithm>
#include <cassert>
#include <cmath>
#include <lapse/stats/trade_off.hpp>
#include <limits>
#include <tuple>

namespace lapse::stats {
namespace {

// Above the chord by less than this is on it: rounding, not a bend.
constexpr double kRounding = 1e-12;

}  // namespace

std::vector<std::size_t> pareto_front(std::span<const TradeOff> points) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (std::isfinite(points[i].latency) && std::isfinite(points[i].throughput)) order.push_back(i);
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::tuple{points[i].latency, -points[i].throughput, i}; });

  std::vector<std::size_t> front;
  for (const std::size_t i : order) {
    const bool better = front.empty() || points[i].throughput > points[front.back()].throughput;
    const bool equal =
        !front.empty() && points[i].throughput == points[front.back()].throughput && points[i].latency == points[front.back()].latency;
    if (better || equal) front.push_back(i);
  }
  return front;
}

std::optional<std::size_t> knee(std::span<const TradeOff> points, std::span<const std::size_t> front) {
  if (front.empty()) return std::nullopt;
  const TradeOff &first = points[front.front()], &last = points[front.back()];
  // A front of more than one different point rises on both axes.
  const double width = last.latency - first.latency, height = last.throughput - first.throughput;
  if (!(width > 0.0 && height > 0.0)) return std::nullopt;
  std::optional<std::size_t> furthest;
  double most = kRounding;
  for (const std::size_t i : front) {
    const double above = (points[i].throughput - first.throughput) / height - (points[i].latency - first.latency) / width;
    if (above <= most) continue;
    most = above;
    furthest = i;
  }
  return furthest;
}

Verdict within(std::span<const QuantileEstimate> quantiles, double limit) {
  assert(!quantiles.empty());
  const auto over = [limit](const QuantileEstimate& quantile) { return quantile && quantile->low > limit; };
  if (std::ranges::any_of(quantiles, over)) return Verdict::Over;
  const QuantileEstimate& asked = quantiles.back();
  return asked && asked->high <= limit ? Verdict::Within : Verdict::Undecided;
}

std::optional<std::size_t> largest_within(std::span<const Candidate> candidates) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].verdict != Verdict::Within) continue;
    const auto rank = [&](std::size_t at) { return std::tuple{candidates[at].batch, candidates[at].throughput}; };
    if (!best || rank(i) > rank(*best)) best = i;
  }
  return best;
}

}  // namespace lapse::stats
