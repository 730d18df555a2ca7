#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <lapse/report/idle.hpp>
#include <lapse/report/processes.hpp>
#include <lapse/report/quantity.hpp>
#include <lapse/stats/replication.hpp>
#include <span>
#include <utility>

namespace lapse::report {
namespace {

constexpr Phrase kHeading{"latency after a pause ({runs} after each, at least)",
                          "쉬었다가 실행할 때의 지연 시간 (쉬는 시간마다 {runs} 이상)"};
constexpr Phrase kPause{"pause", "쉼"};
constexpr Phrase kRatio{"ratio", "비"};
constexpr Phrase kClock{"clock", "클럭"};

constexpr Phrase kNeeds{"≥ {n} runs", "{n}회 이상"};

std::string value(const stats::QuantileEstimate& estimate, Language language) {
  if (!estimate) return say(kNeeds, language, {{"n", grouped(estimate.error().runs)}});
  return duration(estimate->value);
}

std::vector<double> block_medians(std::span<const double> series, const std::vector<std::size_t>& blocks) {
  std::vector<double> medians;
  for (const std::size_t count : blocks) {
    medians.push_back(median_of(series.first(count)));
    series = series.subspan(count);
  }
  return medians;
}

std::string factor_text(const std::optional<stats::Estimate>& ratio) {
  if (!ratio) return "?";
  return fmt::format("{:.3f}×", ratio->value) + (ratio->relative_error() > 0 ? " ± " + percent(ratio->relative_error()) : "");
}

}  // namespace

SummaryRow summarise_blocks(const Series& samples) {
  SummaryRow summary = summarise(samples, {});
  for (const auto& [part, series] : {std::pair{&SummaryRow::end_to_end, &Series::end_to_end},
                                     std::pair{&SummaryRow::submit, &Series::submit}, std::pair{&SummaryRow::device, &Series::device},
                                     std::pair{&SummaryRow::h2d, &Series::h2d}, std::pair{&SummaryRow::d2h, &Series::d2h}}) {
    if ((samples.*series).empty()) continue;
    const auto median = stats::across_processes(block_medians(samples.*series, samples.blocks));
    if (median) {
      (summary.*part).median = *median;
    } else {
      (summary.*part).median = tl::unexpected(stats::Needs{2 * (samples.*series).size()});
    }
  }
  return summary;
}

std::optional<stats::Estimate> ratio_to_first(const Report& report, const IdleRow& row) {
  const Series& first = report.idle.front().samples;
  const auto those = block_medians(first.end_to_end, first.blocks), these = block_medians(row.samples.end_to_end, row.samples.blocks);
  std::vector<double> logs;
  for (std::size_t round = 0; round < std::min(those.size(), these.size()); ++round) logs.push_back(std::log(these[round] / those[round]));
  const auto mean = stats::across_processes(logs);
  if (!mean || !std::isfinite(mean->value)) return std::nullopt;
  return stats::Estimate{std::exp(mean->value), std::exp(mean->low), std::exp(mean->high), mean->effective};
}

Table idle_table(const Report& report, Language language) {
  Table table;
  if (report.idle.empty()) return table;
  const auto runs = [](const IdleRow& row) { return row.samples.end_to_end.size(); };
  table.heading =
      say(kHeading, language, {{"runs", counted_runs(std::ranges::min(report.idle, {}, runs).samples.end_to_end.size(), language)}});
  const bool clocks = std::ranges::any_of(report.idle, [](const IdleRow& row) { return row.mhz > 0; });
  table.head = {say(kPause, language), say(Text::Median, language), say(Text::Interval, language), "p90", say(kRatio, language)};
  if (clocks) table.head.push_back(say(kClock, language));
  for (const IdleRow& row : report.idle) {
    const stats::Summary& whole = row.summary.end_to_end;
    std::vector<std::string> cells{row.gap_ns > 0 ? round_duration(row.gap_ns) : "0", value(whole.median, language),
                                   whole.median ? duration_range(whole.median->low, whole.median->high) : "", value(whole.p90, language),
                                   &row == &report.idle.front() ? "1×" : factor_text(ratio_to_first(report, row))};
    if (clocks) cells.push_back(row.mhz > 0 ? fmt::format("{:.0f} MHz", row.mhz) : "?");
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace lapse::report
