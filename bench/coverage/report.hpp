#pragma once
// The tables (markdown) of what was found, and the same as JSON with the counts that every rate comes from.

#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "bench/coverage/compare.hpp"
#include "bench/coverage/intervals.hpp"

namespace lapse::bench {

/// Prints as rows come, and remembers what missed its goal. A rate misses it when its 95 % Monte-Carlo interval excludes it.
class Report {
 public:
  Report(std::size_t replicates, std::uint64_t seed);

  void begin_ours();
  void add(const Family& family, const Ours& ours);
  void begin_theirs();
  void add(const Family& family, std::span<const Theirs> rules);
  void begin_comparison();
  void add(const Scenario& scenario, std::span<const Detection> detections);

  /// One line each: "normal: median covered 90.1 [88.6, 91.3], goal 93 to 99"
  std::span<const std::string> missed() const { return missed_; }
  const nlohmann::ordered_json& json() const { return json_; }

 private:
  std::string judged(const Rate& rate, double least, double most, std::string_view what);

  nlohmann::ordered_json json_;
  std::vector<std::string> missed_;
};

}  // namespace lapse::bench
