#pragma once
// What two measurements say of each other: what `lapse compare` reports. Data, how they are found, and their forms: text (Korean, English),
// Markdown, JSON ("lapse.comparison/1", docs/json.md). The mathematics: lapse/stats/comparison.hpp.

#include <lapse/host/fingerprint.hpp>
#include <lapse/report/messages.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/report.hpp>
#include <lapse/stats/comparison.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::report {

/// One model measured on both sides.
struct Pair {
  std::string name;  // where there are several; else empty
  Report a, b;
  /// Of processes that took turns: stats::mean_log_ratio of each pair of them, in the order of Report::processes. Empty: A and B were
  /// measured one after the other.
  std::vector<double> log_ratios;
};

struct ComparisonRules {
  double margin = 0.01;
  std::optional<double> noise;  // of one process's figure from process to process, relative
  bool force = false;           // compares in spite of every obstacle
};

/// Why two measurements can't be compared, in a form that can be said: "other-machine", "other-device", "other-work" (facts key, a, b),
/// "interrupted" (side), "failed" (side, message), "times-wrong" (side, reason).
struct Obstacle {
  std::string code;
  Facts facts;
};
/// None where they can be compared. Sides that took turns were on one machine.
std::vector<Obstacle> obstacles(const Pair& pair);
/// Error: BadInput, the first obstacle and what to do.
Result<void> comparable(const Pair& pair);
/// A code that this version does not know says itself.
std::string say(const Obstacle& obstacle, Language language);

/// What may well differ, as it may be what is compared.
struct Difference {
  std::string key;  // as in docs/json.md: "engine_version"
  std::string a, b;
};

struct ComparedSide {
  std::string created;
  SubjectRow subject;
  std::size_t processes = 1;
  std::size_t unsteady = 0;  // of them, those that never came to a steady state
  std::size_t runs = 0;      // of all of them
};

struct ComparedMetric {
  std::string name;               // "median", "p99"
  double a_ns = 0.0, b_ns = 0.0;  // geometric mean over the processes
  stats::Contrast contrast;
  stats::Decision decision;
  std::size_t processes_needed = 0;  // a side, for an interval as narrow as the margin; 0: not known, or there are as many
};

struct ComparedModel {
  std::string name;
  ComparedSide a, b;
  bool turns = false;       // A and B took turns
  bool near_clock = false;  // a side takes so little that the clock's steps could hide a difference: nothing is called equivalent
  std::vector<Difference> differences;
  std::vector<Obstacle> forced;
  std::vector<ComparedMetric> metrics;  // the median, and a tail where each process has enough runs
  std::size_t tail_needs = 0;           // runs of each process for a tail; 0: there is one
};

struct Comparison {
  std::string created;  // UTC, ISO 8601
  std::vector<std::string> argv;
  std::string a, b;               // as the user named the sides
  host::Fingerprint environment;  // of B
  ComparisonRules rules;
  std::vector<ComparedModel> models;
  std::vector<std::string> only_a, only_b;  // models without a counterpart
  bool interrupted = false;                 // fewer pairs of processes than asked for

  /// Something is slower.
  bool regressed() const;
  bool undecided() const;
};

/// Compares all of them under one control of false alarms. `pairs` is not empty. Error: BadInput, when a pair has an obstacle and is not
/// forced, or has nothing to compare.
Result<Comparison> compare(std::span<const Pair> pairs, const ComparisonRules& rules);

std::string to_text(const Comparison& comparison, Language language, bool unicode = true);
std::string to_markdown(const Comparison& comparison, Language language);

inline constexpr std::string_view kComparisonSchema = "lapse.comparison/1";
std::string to_json_text(const Comparison& comparison);
/// What to_json_text wrote: everything that the other forms show. Error: BadInput. Safe on hostile bytes.
Result<Comparison> comparison_from_json(std::string_view text);

}  // namespace lapse::report
