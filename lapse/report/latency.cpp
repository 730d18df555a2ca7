#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/report/latency.hpp>
#include <lapse/report/messages.hpp>
#include <lapse/report/quantity.hpp>

namespace lapse::report {
namespace {

constexpr std::size_t kHistogramCells = 32;
constexpr std::size_t kRunsForHistogram = 20;  // fewer make no shape

/// Eighths of the fullest cell, never nothing for a cell that holds a run.
std::string bars(std::span<const std::size_t> counts) {
  constexpr std::array<const char*, 9> kBars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  std::string out;
  for (const std::size_t count : counts) out += kBars[most == 0 ? 0 : (count * 8 + most - 1) / most];
  return out;
}

}  // namespace

std::string counted_runs(std::uint64_t n, Language language) {
  return n == 1 ? say(Text::Run, language) : say(Text::Runs, language, {{"n", grouped(n)}});
}

LatencyRow quantile_row(std::string label, const stats::QuantileEstimate& estimate, bool nested, Language language) {
  LatencyRow row;
  row.label = std::move(label);
  row.nested = nested;
  if (!estimate) {
    row.value = say(Text::NeedsRuns, language, {{"n", grouped(estimate.error().runs)}});
    return row;
  }
  row.value = duration(estimate->value);
  row.interval = duration_range(estimate->low, estimate->high);
  const double error = estimate->relative_error();
  if (std::isfinite(error)) row.error = "± " + percent(error);
  return row;
}

void add_percentiles(const stats::Summary& summary, bool nested, Language language, Latency& latency) {
  latency.rows.push_back(quantile_row("p90", summary.p90, nested, language));
  latency.rows.push_back(quantile_row("p95", summary.p95, nested, language));
  latency.rows.push_back(quantile_row("p99", summary.p99, nested, language));
  latency.rows.push_back(quantile_row("p99.9", summary.p999, nested, language));
  if (summary.count == 0) return;
  latency.rows.push_back({say(Text::Mean, language), duration(summary.mean),
                          say(Text::Extremes, language, {{"min", duration(summary.min)}, {"max", duration(summary.max)}}), "", nested});
}

void draw_histogram(const stats::Summary& summary, std::span<const double> sorted, Language language, Latency& latency) {
  const double high = summary.p99 ? summary.p99->value : summary.max;
  if (sorted.size() < kRunsForHistogram || !(high > summary.min)) return;
  latency.histogram = bars(stats::histogram(sorted, summary.min, high, kHistogramCells));
  latency.range = say(summary.p99 ? Text::HistogramToP99 : Text::HistogramToMax, language, {{"range", duration_range(summary.min, high)}});
}

}  // namespace lapse::report
