#pragma once
// What can be read off a set of measured configurations, each with a latency and a throughput: which are worth considering, where the
// trade-off bends, and which keep a limit.
//
// Pareto front: a point belongs to it unless another has at least its throughput at no more than its latency, and is better in one of the
// two. Points that are equal in both stand or fall together. Estimates are compared as they are: that two points differ by less than
// their intervals is for the reader to see.
//
// Knee: the point of the front with the largest distance above the chord from its first to its last point, both axes scaled to 0 … 1. It
// is where Kneedle's difference curve y - x has its maximum (Satopää, Albrecht, Irwin & Raghavan, "Finding a 'Kneedle' in a Haystack",
// ICDCS Workshops 2011, section III), without the smoothing spline, as a sweep has a handful of points and no noise worth one.
//
// Pure functions: any unit that is the same for all points.

#include <cstddef>
#include <cstdint>
#include <lapse/stats/summary.hpp>
#include <optional>
#include <span>
#include <vector>

namespace lapse::stats {

struct TradeOff {
  double latency = 0.0;     // less is better
  double throughput = 0.0;  // more is better
};

/// Indices of the points on the Pareto front, by latency, then by index. A point with a number that is not finite is never on it.
std::vector<std::size_t> pareto_front(std::span<const TradeOff> points);

/// The point where the front bends, one of `front` (as pareto_front returns it); the one with the least latency where several are equally
/// far out. Nothing where no point lies above the chord: fewer than three different points, a straight front, one that bends the other way.
std::optional<std::size_t> knee(std::span<const TradeOff> points, std::span<const std::size_t> front);

/// Does a quantile keep a limit? Of three answers one is that the runs don't tell.
enum class Verdict {
  Within,     // the upper end of its interval is at the limit or below
  Over,       // the lower end is above the limit, or that of a lower quantile: then the higher one is over it, too
  Undecided,  // the limit lies inside the interval, or there are too few runs for one
};

/// `quantiles` ascending: the one that the limit is for comes last, those below it before. Not empty.
Verdict within(std::span<const QuantileEstimate> quantiles, double limit);

struct Candidate {
  std::int64_t batch = 0;
  double throughput = 0.0;
  Verdict verdict = Verdict::Undecided;
};

/// The largest batch that is known to keep the limit; of equal ones that with the most throughput, then the first. Nothing where none is.
std::optional<std::size_t> largest_within(std::span<const Candidate> candidates);

}  // namespace lapse::stats
