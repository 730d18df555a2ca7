#pragma once
// The table of times that every form for people shows, in words and in order, before it is laid out.

#include <cstdint>
#include <lapse/report/render.hpp>
#include <span>
#include <string>
#include <vector>

namespace lapse::report {

/// One line of the table.
struct LatencyRow {
  std::string label;
  std::string value;
  std::string interval;  // of a quantile; of the mean what else there is to say
  std::string error;     // "± 0.25 %"; may be empty
  bool nested = false;   // a percentile of the row above it
};

struct Latency {
  std::string heading;   // "latency (812 runs)"
  std::string interval;  // "95 % interval": what stands in that column
  std::vector<LatencyRow> rows;
  std::string submit_alone;  // how wrong a clock round the call would have been; empty on a blocking subject, or where all times are wrong
  std::string histogram;     // bars, one character a cell; empty when there is nothing to draw
  std::string range;         // of the histogram, in words
};

/// "812 runs", "1 run".
std::string counted_runs(std::uint64_t n, Language language);

LatencyRow quantile_row(std::string label, const stats::QuantileEstimate& estimate, bool nested, Language language);
/// What follows the median: the other quantiles and the mean.
void add_percentiles(const stats::Summary& summary, bool nested, Language language, Latency& latency);
/// Of `sorted` samples. Nothing where they are too few or all the same.
void draw_histogram(const stats::Summary& summary, std::span<const double> sorted, Language language, Latency& latency);

}  // namespace lapse::report
