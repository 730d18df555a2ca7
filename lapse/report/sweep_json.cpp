#include <algorithm>
#include <lapse/base/version.hpp>
#include <lapse/report/json_node.hpp>
#include <lapse/report/json_parts.hpp>
#include <lapse/report/sweep.hpp>

namespace lapse::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kUnknown = std::numeric_limits<double>::infinity();

Json optional_index(const std::optional<std::size_t>& index) { return index ? Json(*index) : Json(nullptr); }

Json point_json(const SweepPoint& point, bool on_front) {
  Json out{{"batch", point.batch},   {"threads", point.threads}, {"inflight", point.in_flight},
           {"engine", point.engine}, {"device", point.device},   {"state", name(point.state)}};
  if (point.state != PointState::Measured) {
    out["reason"] = point.reason;
    return out;
  }
  Json latency{{"count", point.latency.count}};
  latency.update(summary_json(point.latency));
  out["engine_version"] = point.engine_version;
  out["device_name"] = point.device_name;
  out["throughput"] = {{"value", number_json(point.throughput.value)},
                       {"low", number_json(point.throughput.low)},
                       {"high", number_json(point.throughput.high)}};
  out["latency"] = std::move(latency);
  out["pareto"] = on_front;
  out["times_wrong"] = point.times_wrong;
  out["warnings"] = point.warnings;
  return out;
}

Json slo_json(const Sweep& sweep, const SweepFindings& findings) {
  if (!sweep.slo) return nullptr;
  // What was not measured is neither within the limit nor undecided about it: it has no latency.
  const auto indices = [&](stats::Verdict verdict) {
    Json out = Json::array();
    for (std::size_t i = 0; i < sweep.points.size(); ++i) {
      if (sweep.points[i].state == PointState::Measured && findings.verdicts[i] == verdict) out.push_back(i);
    }
    return out;
  };
  return {{"quantile", sweep.slo->quantile},       {"limit_ns", number_json(sweep.slo->limit_ns)},
          {"best", optional_index(findings.best)}, {"within", indices(stats::Verdict::Within)},
          {"over", indices(stats::Verdict::Over)}, {"undecided", indices(stats::Verdict::Undecided)}};
}

stats::Summary read_summary(const JsonNode& node) {
  stats::Summary summary;
  summary.count = node["count"].unsigned_count();
  summary.median = node["median_ns"].quantile();
  summary.p90 = node["p90_ns"].quantile();
  summary.p95 = node["p95_ns"].quantile();
  summary.p99 = node["p99_ns"].quantile();
  summary.p999 = node["p999_ns"].quantile();
  summary.min = node["min_ns"].duration();
  summary.max = node["max_ns"].duration();
  summary.mean = node["mean_ns"].duration();
  summary.standard_deviation = node["standard_deviation_ns"].duration();
  return summary;
}

SweepPoint read_point(const JsonNode& node) {
  SweepPoint point;
  point.batch = node["batch"].count();
  point.threads = node["threads"].small_count();
  point.in_flight = node["inflight"].count();
  point.engine = node["engine"].text();
  point.device = node["device"].text();
  const std::string state = node["state"].one_of({"measured", "out-of-memory", "failed"});
  if (state != "measured") {
    point.state = state == "failed" ? PointState::Failed : PointState::OutOfMemory;
    point.reason = node["reason"].text();
    point.throughput = {kUnknown, kUnknown, kUnknown};
    return point;
  }
  point.engine_version = node["engine_version"].text();
  point.device_name = node["device_name"].text();
  const JsonNode throughput = node["throughput"];
  point.throughput = {throughput["value"].number(), throughput["low"].number(), throughput["high"].number()};
  point.latency = read_summary(node["latency"]);
  point.times_wrong = node["times_wrong"].boolean();
  point.warnings = node["warnings"].texts();
  return point;
}

Slo read_slo(const JsonNode& node) { return {node["quantile"].one_of({"p50", "p90", "p95", "p99", "p99.9"}), node["limit_ns"].duration()}; }

Sweep read_sweep(const JsonNode& root) {
  if (root["schema"].text() != kSweepSchema) root["schema"].expected(std::string(kSweepSchema));
  Sweep sweep;
  sweep.created = root["created"].text();
  sweep.argv = root["argv"].texts();
  sweep.model = root["model"].text();
  sweep.environment = read_fingerprint(root["environment"]);
  sweep.folder = root["folder"].text();
  sweep.planned = root["planned"].unsigned_count();
  sweep.reused = root["reused"].unsigned_count();
  const JsonNode points = root["points"];
  for (std::size_t i = 0; i < points.size(); ++i) sweep.points.push_back(read_point(points[i]));
  if (!root["slo"].is_null()) sweep.slo = read_slo(root["slo"]);
  return sweep;
}

}  // namespace

nlohmann::ordered_json to_json(const Sweep& sweep) {
  const SweepFindings findings = find(sweep);
  Json points = Json::array();
  for (std::size_t i = 0; i < sweep.points.size(); ++i) {
    points.push_back(point_json(sweep.points[i], std::ranges::find(findings.front, i) != findings.front.end()));
  }
  return {{"schema", kSweepSchema},
          {"lapse", version()},
          {"created", sweep.created},
          {"argv", sweep.argv},
          {"model", sweep.model},
          {"environment", fingerprint_json(sweep.environment)},
          {"folder", sweep.folder},
          {"planned", sweep.planned},
          {"reused", sweep.reused},
          {"knee", optional_index(findings.knee)},
          {"slo", slo_json(sweep, findings)},
          {"points", std::move(points)}};
}

std::string to_json_text(const Sweep& sweep) { return document_text(to_json(sweep)); }

Result<Sweep> sweep_from_json(std::string_view text) {
  return read_json(text, "not a sweep of lapse", "give a file that `lapse sweep --json FILE` wrote", read_sweep);
}

}  // namespace lapse::report
