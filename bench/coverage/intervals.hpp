#pragma once
// Measurements of a family, over and over: the tool's own, with the warm-up, the stopping rule and the intervals that `lapse time` has by
// default, and those by the rules of others.

#include <cstdint>
#include <map>
#include <string>

#include "bench/coverage/families.hpp"
#include "bench/coverage/peers.hpp"
#include "bench/coverage/rate.hpp"

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
  Rate flagged;       // called unsteady; a warm-up counts, unless the family has one
  double runs = 0.0;  // timed, mean
  double discarded = 0.0;
  double seconds = 0.0;  // of a processor's time a replicate
};

struct Theirs {
  Coverage interval;  // of the mean or the median, whichever the rule reports
  double runs = 0.0;  // those that warmed up, too; mean
};

Ours measure(const Family& family, std::size_t replicates, std::size_t jobs, std::uint64_t seed);
/// The very same series. `family` is steady.
Theirs measure(const PeerRule& rule, const Family& family, std::size_t replicates, std::size_t jobs, std::uint64_t seed);

}  // namespace lapse::bench
