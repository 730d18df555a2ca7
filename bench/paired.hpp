#pragma once
// Two sides measured in turn, round by round, and the ratio of each round: a machine that slows down does so for both.

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <lapse/stats/quantile.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lapse::bench {

struct Paired {
  std::vector<double> ours, theirs;  // a figure a round, nanoseconds

  /// Ours / theirs: the median of the rounds' ratios with its 95 % interval.
  stats::Estimate ratio() const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
    std::ranges::sort(ratios);
    return *stats::estimate_quantile(ratios, 0.5);
  }
  static double median(std::vector<double> values) {
    std::ranges::sort(values);
    return stats::quantile(values, 0.5);
  }
};

/// Each side returns one figure; they take turns at going first. At least 6 rounds, so that the ratio has an interval.
inline Paired take_turns(int rounds, const std::function<double()>& ours, const std::function<double()>& theirs) {
  Paired paired;
  for (int round = 0; round < rounds; ++round) {
    if (round % 2 == 0) paired.ours.push_back(ours());
    paired.theirs.push_back(theirs());
    if (round % 2 == 1) paired.ours.push_back(ours());
  }
  return paired;
}

inline nlohmann::json to_json(const Paired& paired) {
  const stats::Estimate ratio = paired.ratio();
  return {{"ours_ns", paired.ours},
          {"theirs_ns", paired.theirs},
          {"ratio", {{"value", ratio.value}, {"low", ratio.low}, {"high", ratio.high}}}};
}

inline void save(const std::string& path, const nlohmann::json& json) { std::ofstream(path) << json.dump(1) << '\n'; }

}  // namespace lapse::bench
