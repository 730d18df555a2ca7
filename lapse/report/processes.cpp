#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/processes.hpp>
#include <lapse/report/quantity.hpp>
#include <limits>

namespace lapse::report {
namespace {

constexpr Phrase kProcesses{"processes", "프로세스"};
constexpr Phrase kValue{"{n} fresh ones, {runs} each: medians {range}", "새 프로세스 {n}개, 각각 {runs}: 중앙값 {range}"};
constexpr Phrase kInTurns{"taking turns with the other side in {blocks} blocks", "다른 쪽과 번갈아 {blocks}개 블록으로 측정"};
constexpr Phrase kPlan{"for ± {precision} on this machine: {n} processes × {runs}, about {time}",
                       "이 컴퓨터에서 ± {precision}까지 재려면: 프로세스 {n}개 × {runs}, 약 {time}"};

using Counts = std::vector<std::size_t>;

Counts counts_of(const std::vector<ProcessRow>& processes) {
  Counts counts;
  for (const ProcessRow& process : processes) counts.push_back(static_cast<std::size_t>(process.count));
  return counts;
}

std::vector<std::span<const double>> split(std::span<const double> series, const Counts& counts) {
  std::vector<std::span<const double>> parts;
  std::size_t first = 0;
  for (const std::size_t count : counts) {
    parts.push_back(series.subspan(first, count));
    first += count;
  }
  return parts;
}

std::vector<double> sorted(std::span<const double> series) {
  std::vector<double> out(series.begin(), series.end());
  std::ranges::sort(out);
  return out;
}

/// So that two of them lie beyond the quantile.
std::size_t runs_of_each(double p) { return p <= 0.5 ? 1 : static_cast<std::size_t>(std::lround(2.0 / (1.0 - p))); }

stats::Summary summary_of(std::span<const double> series, const Counts& counts) {
  stats::Summary summary = stats::summarise(series);
  if (counts.size() < 2) return summary;
  std::vector<std::vector<double>> parts;
  for (const auto& part : split(series, counts)) parts.push_back(sorted(part));
  const std::size_t fewest = *std::ranges::min_element(counts);
  for (const stats::NamedQuantile& quantile : stats::kQuantiles) {
    stats::QuantileEstimate& estimate = summary.*quantile.estimate;
    const std::size_t needed = runs_of_each(quantile.p);
    if (fewest < needed) {
      estimate = tl::unexpected(stats::Needs{needed});
      continue;
    }
    std::vector<double> values;
    for (const std::vector<double>& part : parts) values.push_back(stats::quantile(part, quantile.p));
    estimate = *stats::across_processes(values);
    estimate->low = std::max(0.0, estimate->low);  // where there are few: no time is negative
  }
  return summary;
}

/// What is left of each process without the runs that were disturbed.
Counts undisturbed_counts(const Series& samples, const Counts& counts) {
  Counts left = counts;
  for (const measuring::Tag& tag : samples.tags) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < counts.size(); first += counts[i++]) {
      const std::size_t begin = std::max(first, tag.first), end = std::min(first + counts[i], tag.first + tag.count);
      if (begin < end) left[i] -= end - begin;
    }
  }
  std::erase(left, std::size_t{0});
  return left;
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void append(Series& to, const Series& from) {
  for (measuring::Tag tag : from.tags) {
    tag.first += to.end_to_end.size();
    to.tags.push_back(tag);
  }
  append(to.end_to_end, from.end_to_end);
  append(to.submit, from.submit);
  append(to.device, from.device);
  append(to.h2d, from.h2d);
  append(to.d2h, from.d2h);
  append(to.start, from.start);
  append(to.blocks, from.blocks);
}

/// What was found in one of them was found; else what one of them could examine counts.
void merge(AuditRow& audit, const AuditRow& other) {
  for (const RuleRow& row : other.rules) {
    const auto same = std::ranges::find(audit.rules, row.rule, &RuleRow::rule);
    if (same == audit.rules.end()) {
      audit.rules.push_back(row);
    } else if (row.verdict == "found" || (row.verdict == "clean" && same->verdict == "not-examined")) {
      *same = row;
    }
  }
}

void merge(measuring::Warnings& warnings, const measuring::Warnings& other) {
  for (const measuring::Warning& warning : other) {
    // How well one process knows its own median is no matter here.
    if (warning.code == "precision_not_reached" || warning.code == "max_runs_reached" || warning.code == "few_runs") continue;
    if (std::ranges::find(warnings, warning.code, &measuring::Warning::code) == warnings.end()) warnings.push_back(warning);
  }
}

/// The later in this order the worse.
std::string worse(const std::string& a, const std::string& b) {
  constexpr std::array<std::string_view, 5> kOrder{"flat", "warm-up", "slowdown", "too-short", "no-steady-state"};
  return std::ranges::find(kOrder, a) < std::ranges::find(kOrder, b) ? b : a;
}

}  // namespace

std::vector<std::span<const double>> per_process(const Report& report) {
  const std::span<const double> all = report.samples.end_to_end;
  if (report.processes.empty()) return {all};
  return split(all, counts_of(report.processes));
}

double median_of(std::span<const double> times) { return stats::quantile(sorted(times), 0.5); }

std::vector<std::vector<double>> block_medians(const Report& report) {
  std::vector<std::vector<double>> out;
  if (report.samples.blocks.empty()) return out;
  const auto blocks = split(report.samples.end_to_end, report.samples.blocks);
  auto block = blocks.begin();
  for (const auto& process : per_process(report)) {
    std::vector<double>& medians = out.emplace_back();
    for (std::size_t runs = 0; runs < process.size() && block != blocks.end(); ++block) {
      medians.push_back(median_of(*block));
      runs += block->size();
    }
  }
  return out;
}

SummaryRow summarise(const Series& samples, const std::vector<ProcessRow>& processes) {
  const Counts counts = counts_of(processes);
  SummaryRow summary;
  summary.end_to_end = summary_of(samples.end_to_end, counts);
  // On a blocking subject the three series are one; sorting a million samples thrice would be most of the reading.
  summary.submit = samples.submit == samples.end_to_end ? summary.end_to_end : summary_of(samples.submit, counts);
  summary.device = samples.device == samples.end_to_end ? summary.end_to_end : summary_of(samples.device, counts);
  if (!samples.h2d.empty()) summary.h2d = summary_of(samples.h2d, counts);
  if (!samples.d2h.empty()) summary.d2h = summary_of(samples.d2h, counts);
  if (!samples.tags.empty()) summary.undisturbed = summary_of(undisturbed(samples), undisturbed_counts(samples, counts));
  return summary;
}

Report join(std::vector<Report> parts) {
  Report out = parts.front();
  out.samples = {};
  out.samples.warmup = parts.front().samples.warmup;
  out.warnings.clear();
  out.plan.discarded = 0;
  out.plan.warmup_cost_ns = 0.0;
  out.plan.segments.clear();
  out.disturbance = {};
  out.throughput_per_s = 0.0;
  std::vector<double> loads, firsts;
  const auto share = 1.0 / static_cast<double>(parts.size());
  for (Report& part : parts) {
    out.processes.push_back({static_cast<std::int64_t>(part.samples.end_to_end.size()), part.plan.discarded, part.plan.warmup_verdict,
                             part.load_ns, part.first_ns});
    loads.push_back(part.load_ns);
    firsts.push_back(part.first_ns);
    append(out.samples, part.samples);
    merge(out.audit, part.audit);
    merge(out.warnings, part.warnings);
    out.plan.discarded += part.plan.discarded;
    out.plan.warmup_cost_ns += part.plan.warmup_cost_ns;
    out.plan.cycle = std::max(out.plan.cycle, part.plan.cycle);
    out.plan.warmup_verdict = worse(out.plan.warmup_verdict, part.plan.warmup_verdict);
    out.disturbance.steal += share * part.disturbance.steal;
    out.disturbance.others += share * part.disturbance.others;
    out.disturbance.throttled += part.disturbance.throttled;
    out.throughput_per_s += share * part.throughput_per_s;
    out.answer.largest_difference = std::max(out.answer.largest_difference, part.answer.largest_difference);
    out.memory.peak = std::max(out.memory.peak, part.memory.peak);
    out.memory.device_peak = std::max(out.memory.device_peak, part.memory.device_peak);
    part = {};  // a million samples are no longer needed twice
  }
  out.load_ns = median_of(loads);
  out.first_ns = median_of(firsts);
  out.summary = summarise(out.samples, out.processes);
  const auto& median = out.summary.end_to_end.median;
  out.plan.reached = median ? median->relative_error() : std::numeric_limits<double>::infinity();
  return out;
}

std::optional<stats::Plan> cheapest_plan(const Report& report) {
  if (report.processes.size() < 2 || !(report.plan.precision > 0.0)) return std::nullopt;
  std::vector<stats::ProcessFigure> figures;
  for (const auto& times : per_process(report)) {
    const stats::Summary summary = stats::summarise(times);
    const double value = median_of(times);
    if (!(value > 0.0)) return std::nullopt;
    figures.push_back(summary.median ? stats::process_figure(*summary.median, summary.count)
                                     : stats::ProcessFigure{value, std::numeric_limits<double>::infinity(), summary.count});
  }
  const auto components = stats::variance_components(figures);
  if (!components) return std::nullopt;
  const double run = std::max(1.0, report.summary.end_to_end.mean);
  const double warmup = run * static_cast<double>(report.plan.discarded) / static_cast<double>(report.processes.size());
  return stats::plan(*components, {std::max(1.0, report.load_ns + report.first_ns + warmup), run}, report.plan.precision);
}

std::vector<Row> process_rows(const Report& report, Language language) {
  if (report.processes.empty()) return {};
  std::vector<double> medians;
  for (const auto& times : per_process(report)) medians.push_back(median_of(times));
  const auto [low, high] = std::ranges::minmax(medians);
  const auto [fewest, most] = std::ranges::minmax(counts_of(report.processes));
  std::string runs = counted_runs(most, language);
  if (fewest < most) runs = grouped(fewest) + " … " + runs;
  std::vector<Row> rows{{say(kProcesses, language),
                         say(kValue, language, {{"n", grouped(medians.size())}, {"runs", runs}, {"range", duration_range(low, high)}})}};
  if (!report.samples.blocks.empty()) {
    rows.push_back({"", say(kInTurns, language, {{"blocks", grouped(report.samples.blocks.size())}})});
  }
  if (report.processes.size() < 2) return rows;
  const std::string precision = percent(report.plan.precision);
  if (const auto plan = cheapest_plan(report)) {
    rows.push_back({"", say(kPlan, language,
                            {{"precision", precision},
                             {"n", grouped(plan->processes)},
                             {"runs", counted_runs(plan->runs, language)},
                             {"time", round_duration(std::max(1e9, std::round(plan->cost / 1e9) * 1e9))}})});
  }
  return rows;
}

}  // namespace lapse::report
