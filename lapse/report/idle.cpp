#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <lapse/report/idle.hpp>
#include <lapse/report/quantity.hpp>
#include <limits>

namespace lapse::report {
namespace {

constexpr Phrase kHeading{"latency after a pause ({runs} after each, at least)",
                          "쉬었다가 실행할 때의 지연 시간 (쉬는 시간마다 {runs} 이상)"};
constexpr Phrase kPause{"pause", "쉼"};
constexpr Phrase kRatio{"ratio", "비"};
constexpr Phrase kClock{"clock", "클럭"};

std::string value(const stats::QuantileEstimate& estimate, Language language) {
  if (!estimate) return say(Text::NeedsRuns, language, {{"n", grouped(estimate.error().runs)}});
  return duration(estimate->value);
}

}  // namespace

double ratio_to_first(const Report& report, const IdleRow& row) {
  const auto& first = report.idle.front().summary.end_to_end.median;
  const auto& median = row.summary.end_to_end.median;
  if (!first || !median || first->value <= 0) return std::numeric_limits<double>::quiet_NaN();
  return median->value / first->value;
}

Table idle_table(const Report& report, Language language) {
  Table table;
  if (report.idle.empty()) return table;
  const auto runs = [](const IdleRow& row) { return row.samples.end_to_end.size(); };
  table.heading =
      say(kHeading, language, {{"runs", counted_runs(std::ranges::min(report.idle, {}, runs).samples.end_to_end.size(), language)}});
  const bool clocks = std::ranges::any_of(report.idle, [](const IdleRow& row) { return row.mhz > 0; });
  table.head = {say(kPause, language), say(Text::Median, language), say(Text::Interval, language), "p90", say(kRatio, language)};
  if (report.subject.asynchronous) table.head.push_back(say(Text::Device, language));
  if (clocks) table.head.push_back(say(kClock, language));
  for (const IdleRow& row : report.idle) {
    const stats::Summary& whole = row.summary.end_to_end;
    const double ratio = ratio_to_first(report, row);
    std::vector<std::string> cells{row.gap_ns > 0 ? round_duration(row.gap_ns) : "0", value(whole.median, language),
                                   whole.median ? duration_range(whole.median->low, whole.median->high) : "", value(whole.p90, language),
                                   std::isfinite(ratio) ? fmt::format("{:.3f}×", ratio) : "?"};
    if (report.subject.asynchronous) cells.push_back(value(row.summary.device.median, language));
    if (clocks) cells.push_back(row.mhz > 0 ? fmt::format("{:.0f} MHz", row.mhz) : "?");
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace lapse::report
