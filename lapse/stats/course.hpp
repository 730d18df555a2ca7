#pragma once
// How a series of times went: was it steady, from when on, or never?
//
// After Barrett, Bolz-Tereick, Killick, Mount & Tratt (Virtual Machine Warmup Blows Hot and Cold, OOPSLA 2017, section 4): changepoints cut
// the series into segments; back from the last one, segments at the same level are the steady part. What came before tells the verdict.
// Four things differ, as raw times would be flagged where nothing but noise is in them:
// - PELT works on normal scores (normal_scores.hpp): a spike of ten times the level is one high rank, no segment.
// - Dependence of neighbours is taken out first, by an AR(1) whose coefficient comes from differences, which changes of level hardly touch
//   (Chakar, Lebarbier, Lévy-Leduc & Robin, A robust approach for estimating change-points in the mean of an AR(1) process, Bernoulli
//   23:1408, 2017).
// - Two levels are the same when their medians differ by less than kBand of them; Barrett's 1 ms knows no scale.
// - A line through the steady part must not show that its level still moves (Student's t), nor its periodogram a cycle that PELT can't cut:
//   one frequency that holds 30 times what its neighbours hold.
// Of series of more than 2,048 runs, means of as many blocks are looked at.

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

/// Levels that differ by no more than this share are one: less than what two runs of one program differ by on a quiet machine.
inline constexpr double kBand = 0.02;
/// The steady part is at least this share of all. Barrett et al.: the last 500 of 2,000.
inline constexpr double kSteadyShare = 0.25;

/// `series` in the order of measurement, each 0 or more. Scale-free: what counts is the change relative to the level.
Steadiness examine_course(std::span<const double> series);

}  // namespace lapse::stats
