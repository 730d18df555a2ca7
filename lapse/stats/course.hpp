#pragma once
// How a series of times went: was it steady, from when on, or never?
//
// (draft: the method stands in course.cpp)

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace lapse::stats {

enum class Course {
  TooShort,       // too few runs to tell
  Flat,           // one level from the first run to the last
  WarmUp,         // slower first, then steady
  Slowdown,       // faster first, then steady at a slower level: throttling, fragmentation, a neighbour
  NoSteadyState,  // the level still changes at the end, or goes up and down
};
/// "too-short", "flat", "warm-up", "slowdown", "no-steady-state"
std::string_view name(Course course) noexcept;

/// Consecutive runs at one level.
struct Segment {
  std::size_t first = 0;
  std::size_t count = 0;
  double median = 0.0;  // unit of the series
};

struct Steadiness {
  Course verdict = Course::TooShort;
  std::size_t steady_from = 0;    // the first run of the steady part; 0 unless WarmUp or Slowdown
  std::vector<Segment> segments;  // levels in order; empty when TooShort
  double cycle = 0.0;             // runs that a cycle takes, of NoSteadyState by a cycle; 0: none
};

/// `series` in the order of measurement. Scale-free: what counts is the change relative to the level.
Steadiness examine_course(std::span<const double> series);

}  // namespace lapse::stats
