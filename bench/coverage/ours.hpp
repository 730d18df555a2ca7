#pragma once
// The tool's own measurement of a family: its warm-up, its stopping rule, its intervals, all as `lapse time` has them by default.

#include <cstdint>
#include <map>
#include <string>

#include "families.hpp"
#include "rate.hpp"

namespace lapse::bench {

/// One interval over all replicates.
struct Coverage {
  Rate covered;        // where an interval was given: does it hold the true value?
  Rate given;          // it is refused where the runs don't carry it
  double width = 0.0;  // mean of (high - low) / true value, of those given
};

struct Ours {
  Coverage median, p99;
  std::map<std::string, Rate> verdicts;
  Rate flagged;       // called neither flat nor (of a family that does) a warm-up
  double runs = 0.0;  // timed, mean
  double discarded = 0.0;
  double seconds = 0.0;  // of the computer's time a replicate
};

Ours measure(const Family& family, std::size_t replicates, std::size_t jobs, std::uint64_t seed);

}  // namespace lapse::bench
