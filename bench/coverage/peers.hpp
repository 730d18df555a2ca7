#pragma once
// The rules by which other tools stop, report and compare, written anew from their sources, on the same series as ours.
//
// Most of them report a mean, and some no interval: then what they print behind the ± is taken for one, as a reader would, and `nominal`
// says what they claim for it. Each comparison is of two measurements of one process each, which is what the tools make.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bench/coverage/families.hpp"

namespace lapse::bench {

/// One measurement by a peer's rule. Multiples of the base, as the series.
struct PeerMeasured {
  std::vector<double> values;  // what its comparison works on: runs, or means of some
  double value = 0.0, low = 0.0, high = 0.0;
  std::size_t runs = 0;  // those that warmed up, too
};

enum class Estimand { Mean, Median };

struct PeerRule {
  std::string_view name, rule, source;
  Estimand estimand;
  double nominal;  // NaN: it claims nothing, or has no interval
  PeerMeasured (*measure)(const Series& next, std::uint64_t seed);
  /// Does it call the second one slower or faster?
  bool (*differ)(const PeerMeasured& a, const PeerMeasured& b, std::uint64_t seed);
};

std::span<const PeerRule> peer_rules();

}  // namespace lapse::bench
