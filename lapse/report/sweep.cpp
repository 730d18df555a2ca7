#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <lapse/report/messages.hpp>
#include <lapse/report/sweep.hpp>
#include <lapse/stats/batch_means.hpp>
#include <limits>

namespace lapse::report {
namespace {

using stats::QuantileEstimate;

constexpr double kUnknown = std::numeric_limits<double>::infinity();

// The mean latency is known with an interval, and throughput is its reciprocal: exactly so one at a time, and by Little's law where the
// number in flight is always the same.
stats::Estimate throughput(const Report& report) {
  const double value = report.throughput_per_s;
  const auto mean = stats::mean_of_series(report.samples.end_to_end);
  if (!mean || mean->value <= 0.0) return {value, kUnknown, kUnknown};
  return {value, value * mean->value / mean->high, mean->low > 0.0 ? value * mean->value / mean->low : kUnknown};
}

bool comparable(const SweepPoint& point) { return point.state == PointState::Measured && !point.times_wrong; }

stats::Verdict verdict(const SweepPoint& point, const Slo& slo) {
  std::vector<QuantileEstimate> up_to;
  for (const stats::NamedQuantile& each : stats::kQuantiles) {
    up_to.push_back(point.latency.*each.estimate);
    if (each.name == slo.quantile) break;
  }
  return comparable(point) ? stats::within(up_to, slo.limit_ns) : stats::Verdict::Undecided;
}

// Names of engines and devices may hold anything.
std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }
std::string csv_nanoseconds(double ns) { return std::isfinite(ns) ? fmt::format("{}", std::llround(ns)) : ""; }

const char* csv_verdict(stats::Verdict verdict) {
  return verdict == stats::Verdict::Within ? "within" : verdict == stats::Verdict::Over ? "over" : "undecided";
}

}  // namespace

std::string_view name(PointState state) noexcept {
  switch (state) {
    case PointState::Measured:
      return "measured";
    case PointState::OutOfMemory:
      return "out-of-memory";
    case PointState::Failed:
      break;
  }
  return "failed";
}

SweepPoint sweep_point(const Report& report) {
  SweepPoint point;
  point.batch = report.subject.batch;
  point.threads = report.subject.threads;
  point.in_flight = report.subject.in_flight;
  point.engine = report.subject.engine;
  point.device = report.subject.device;
  point.engine_version = report.subject.engine_version;
  point.device_name = report.device.name;
  point.latency = report.summary.end_to_end;
  point.throughput = throughput(report);
  for (const measuring::Warning& warning : report.warnings) point.warnings.push_back(warning.code);
  for (const RuleRow& row : report.audit.rules) {
    point.times_wrong |= row.verdict == "found" && !rule_words(row.rule, Language::English).wrong.empty();
  }
  return point;
}

SweepFindings find(const Sweep& sweep) {
  SweepFindings findings;
  std::vector<stats::TradeOff> points;
  for (const SweepPoint& point : sweep.points) {
    const bool known = comparable(point) && point.latency.median.has_value();
    points.push_back({known ? point.latency.median->value : kUnknown, point.throughput.value});
  }
  findings.front = stats::pareto_front(points);
  findings.knee = stats::knee(points, findings.front);
  if (!sweep.slo) return findings;
  std::vector<stats::Candidate> candidates;
  for (const SweepPoint& point : sweep.points) {
    findings.verdicts.push_back(verdict(point, *sweep.slo));
    candidates.push_back({point.batch, point.throughput.value, findings.verdicts.back()});
  }
  findings.best = stats::largest_within(candidates);
  return findings;
}

std::string to_csv(const Sweep& sweep) {
  const SweepFindings findings = find(sweep);
  std::string out = "batch,threads,in_flight,engine,device,state,runs,throughput_per_s,throughput_low_per_s,throughput_high_per_s";
  for (const char* name : {"median", "p90", "p95", "p99", "p999"}) out += fmt::format(",{0}_ns,{0}_low_ns,{0}_high_ns", name);
  out += ",pareto,knee,slo\n";
  for (std::size_t i = 0; i < sweep.points.size(); ++i) {
    const SweepPoint& point = sweep.points[i];
    const bool measured = point.state == PointState::Measured;
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{}", point.batch, point.threads, point.in_flight, csv_text(point.engine),
                   csv_text(point.device), name(point.state));
    out += measured ? fmt::format(",{}", point.latency.count) : ",";
    for (const double value : {point.throughput.value, point.throughput.low, point.throughput.high}) {
      out += ',' + (measured ? csv_number(value) : "");
    }
    for (const stats::NamedQuantile& each : stats::kQuantiles) {
      const QuantileEstimate& estimate = point.latency.*each.estimate;
      const bool known = measured && estimate;
      for (const auto part : {&stats::Estimate::value, &stats::Estimate::low, &stats::Estimate::high}) {
        out += ',' + (known ? csv_nanoseconds((*estimate).*part) : "");
      }
    }
    const bool on_front = std::ranges::find(findings.front, i) != findings.front.end();
    fmt::format_to(std::back_inserter(out), ",{},{},{}\n", on_front ? 1 : 0, findings.knee == i ? 1 : 0,
                   measured && sweep.slo ? csv_verdict(findings.verdicts[i]) : "");
  }
  return out;
}

}  // namespace lapse::report
