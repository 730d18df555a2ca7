#include "bench/coverage/report.hpp"

#include <fmt/format.h>

#include <cmath>

namespace lapse::bench {
namespace {

constexpr double kLeastCovered = 0.93, kMostCovered = 0.99;
constexpr double kLeastFlagged = 0.95, kMostFlaggedSteady = 0.02;
constexpr double kMostFalseAlarms = 0.05, kLeastPower = 0.90;

std::string percent(const Rate& rate) {
  if (rate.of == 0) return "-";
  return fmt::format("{:.1f} [{:.1f}, {:.1f}]", 100 * rate.value(), 100 * rate.low(), 100 * rate.high());
}

std::string width(const Coverage& coverage) { return coverage.covered.of == 0 ? "-" : fmt::format("{:.2f}", 100 * coverage.width); }

std::string verdicts(const Ours& ours) {
  std::string text;
  for (const auto& [verdict, share] : ours.verdicts)
    text += fmt::format("{}{} {:.1f}", text.empty() ? "" : ", ", verdict, 100 * share.value());
  return text;
}

nlohmann::ordered_json to_json(const Rate& rate) {
  if (rate.of == 0) return nullptr;
  return {{"hits", rate.hits}, {"of", rate.of}, {"value", rate.value()}, {"low", rate.low()}, {"high", rate.high()}};
}

nlohmann::ordered_json to_json(const Coverage& coverage) {
  return {{"covered", to_json(coverage.covered)}, {"given", to_json(coverage.given)}, {"relative_width", coverage.width}};
}

template <class... Values>
void row(fmt::format_string<Values...> format, Values&&... values) {
  fmt::print("{}\n", fmt::format(format, std::forward<Values>(values)...));
  std::fflush(stdout);
}

}  // namespace

Report::Report(std::size_t replicates, std::uint64_t seed) : json_{{"replicates", replicates}, {"seed", seed}} {
  row("Rates in %, with their 95 % Monte-Carlo interval (Wilson) over {} replicates of each family. Widths: mean of (high - low) / true "
      "value, %.",
      replicates);
}

std::string Report::judged(const Rate& rate, double least, double most, std::string_view what) {
  const std::string text = percent(rate);
  if (rate.of == 0 || rate.may_lie_in(least, most)) return text;
  missed_.push_back(fmt::format("{} {}, goal {:.0f} to {:.0f}", what, text, 100 * least, 100 * most));
  return fmt::format("**{}**", text);
}

void Report::begin_ours() {
  row("\n## lapse time: intervals (95 %), verdicts\n");
  row("| family | median covered | width | p99 covered | width | p99 given | flagged unsteady | verdicts | runs | discarded | CPU ms |");
  row("|-|-|-|-|-|-|-|-|-|-|-|");
}

void Report::add(const Family& family, const Ours& ours) {
  const auto named = [&](std::string_view what) { return fmt::format("{}: {}", family.name, what); };
  const std::string median = judged(ours.median.covered, kLeastCovered, kMostCovered, named("median covered"));
  const std::string p99 = judged(ours.p99.covered, kLeastCovered, kMostCovered, named("p99 covered"));
  const std::string flagged = family.steady() ? judged(ours.flagged, 0.0, kMostFlaggedSteady, named("flagged"))
                                              : judged(ours.flagged, kLeastFlagged, 1.0, named("flagged"));
  row("| {} | {} | {} | {} | {} | {} | {} | {} | {:.0f} | {:.0f} | {:.2f} |", family.name, median, width(ours.median), p99, width(ours.p99),
      percent(ours.p99.given), flagged, verdicts(ours), ours.runs, ours.discarded, 1e3 * ours.seconds);

  nlohmann::ordered_json entry{{"family", family.name}, {"what", family.what}};
  if (family.steady()) {
    entry["median"] = to_json(ours.median);
    entry["p99"] = to_json(ours.p99);
  }
  entry["flagged"] = to_json(ours.flagged);
  for (const auto& [verdict, share] : ours.verdicts) entry["verdicts"][verdict] = share.hits;
  entry["runs"] = ours.runs;
  entry["discarded"] = ours.discarded;
  json_["ours"].push_back(std::move(entry));
}

void Report::begin_theirs() {
  row("\n## Rules of others on the same series: covered, width, runs\n");
  std::string names = "| family |", line = "|-|";
  for (const PeerRule& rule : peer_rules()) {
    names += fmt::format(" {} |", rule.name);
    line += "-|";
    json_["rules"].push_back({{"name", rule.name},
                              {"rule", rule.rule},
                              {"source", rule.source},
                              {"estimand", rule.estimand == Estimand::Mean ? "mean" : "median"},
                              {"nominal", rule.nominal}});
  }
  row("{}\n{}", names, line);
  std::string nominal = "| (claimed) |";
  for (const PeerRule& rule : peer_rules()) nominal += std::isnan(rule.nominal) ? " none |" : fmt::format(" {:.0f} |", 100 * rule.nominal);
  row("{}", nominal);
}

void Report::add(const Family& family, std::span<const Theirs> rules) {
  std::string text = fmt::format("| {} |", family.name);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& [interval, runs] = rules[i];
    text += interval.covered.of == 0 ? fmt::format(" - ; {:.0f} |", runs)
                                     : fmt::format(" {}; {}; {:.0f} |", percent(interval.covered), width(interval), runs);
    json_["theirs"].push_back({{"family", family.name}, {"rule", peer_rules()[i].name}, {"interval", to_json(interval)}, {"runs", runs}});
  }
  row("{}", text);
}

void Report::begin_comparison() {
  row("\n## Comparing: false alarms when nothing differs, and how often a B that takes {:.0f} % longer is found\n", 100 * kSlowdown);
  row("| machine | rule | false alarms | found | runs | A / A equivalent within 1 % | ratio covered | width |\n|-|-|-|-|-|-|-|-|");
}

void Report::add(const Scenario& scenario, std::span<const Detection> detections) {
  for (const Detection& detection : detections) {
    const bool ours = detection.ours;
    const auto named = [&](std::string_view what) { return fmt::format("{}, {}: {}", scenario.name, detection.rule, what); };
    row("| {} | {} | {} | {} | {:.0f} | {} | {} | {} |", scenario.name, detection.rule,
        ours ? judged(detection.false_alarms, 0.0, kMostFalseAlarms, named("false alarms")) : percent(detection.false_alarms),
        ours ? judged(detection.found, kLeastPower, 1.0, named("found")) : percent(detection.found), detection.runs,
        percent(detection.equivalent), percent(detection.covered), ours ? fmt::format("{:.2f}", 100 * detection.width) : "-");
    json_["comparison"].push_back({{"machine", scenario.name},
                                   {"what", scenario.what},
                                   {"rule", detection.rule},
                                   {"false_alarms", to_json(detection.false_alarms)},
                                   {"found", to_json(detection.found)},
                                   {"runs", detection.runs}});
    if (!ours) continue;
    json_["comparison"].back().update(
        {{"equivalent", to_json(detection.equivalent)}, {"covered", to_json(detection.covered)}, {"relative_width", detection.width}});
  }
}

}  // namespace lapse::bench
