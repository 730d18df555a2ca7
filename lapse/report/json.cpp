#include <fmt/chrono.h>

#include <cmath>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/idle.hpp>
#include <lapse/report/json_parts.hpp>
#include <lapse/report/messages.hpp>
#include <lapse/report/processes.hpp>
#include <lapse/report/render.hpp>
#include <nlohmann/json.hpp>

namespace lapse::report {
namespace {

using Json = nlohmann::ordered_json;

/// From this level on a value stands on one line: a quantile with its interval, the shape of an input.
constexpr int kFlatLevel = 3;
constexpr double kExactInteger = 9007199254740992.0;  // 2^53

Json number(double value) { return number_json(value); }

Json whole_nanoseconds(double ns) { return std::isfinite(ns) ? Json(std::llround(ns)) : Json(nullptr); }

Json tensors(const std::vector<TensorRow>& rows) {
  Json out = Json::array();
  for (const TensorRow& row : rows) {
    Json& tensor = out.emplace_back(Json{{"name", row.name}, {"dtype", row.dtype}, {"shape", row.shape}});
    if (!row.source.empty()) tensor["source"] = row.source;
  }
  return out;
}

Json subject(const SubjectRow& row) {
  return {{"model", row.model},
          {"engine", row.engine},
          {"engine_version", row.engine_version},
          {"engine_library", row.engine_library},
          {"device", row.device},
          {"threads", row.threads},
          {"batch", row.batch},
          {"asynchronous", row.asynchronous},
          {"transfers", row.transfers},
          {"graph", row.graph},
          {"cold_cache", row.cold_cache},
          {"streams", row.streams},
          {"scenario", row.scenario},
          {"in_flight", row.in_flight},
          {"input_sets", row.input_sets},
          {"inputs", tensors(row.inputs)},
          {"outputs", tensors(row.outputs)}};
}

Json failure(const std::optional<FailureRow>& row) {
  if (!row) return nullptr;
  return {{"code", row->code}, {"message", row->message}, {"hint", row->hint}};
}

Json environment(const Report& report) {
  Json out = fingerprint_json(report.environment);
  out["load_1min"] = number(report.load_1min);
  out["steal"] = number(report.disturbance.steal);
  out["others"] = number(report.disturbance.others);
  out["throttled_periods"] = report.disturbance.throttled;
  return out;
}

Json device(const DeviceRow& row) {
  return {{"name", row.name}, {"driver", row.driver}, {"runtime", row.runtime}, {"memory_bytes", row.memory}};
}

Json audit(const AuditRow& row) {
  Json rules = Json::array();
  for (const RuleRow& rule : row.rules) rules.push_back({{"rule", rule.rule}, {"verdict", rule.verdict}, {"reason", rule.reason}});
  return {{"rules", std::move(rules)},
          {"spent_ns", whole_nanoseconds(row.spent_ns)},
          {"idle_submit_ns", whole_nanoseconds(row.idle_submit_ns)},
          {"idle_end_to_end_ns", whole_nanoseconds(row.idle_end_to_end_ns)},
          {"backlog_device_ns", whole_nanoseconds(row.backlog_device_ns)},
          {"empty_pair_ns", whole_nanoseconds(row.empty_pair_ns)},
          {"bound", row.bound}};
}

Json warnings(const measuring::Warnings& list) {
  Json out = Json::array();
  for (const measuring::Warning& warning : list) {
    const Message text = say(warning, Language::English);
    out.push_back({{"code", warning.code}, {"message", text.message}, {"hint", text.hint}, {"facts", Json(warning.facts)}});
  }
  return out;
}

Json series(const std::vector<double>& samples) {
  Json::array_t out;
  out.reserve(samples.size());
  for (const double ns : samples) out.push_back(whole_nanoseconds(ns));
  return out;
}

Json warmup(const Report& report) {
  const PlanRow& plan = report.plan;
  Json segments = Json::array();
  for (const stats::Segment& segment : plan.segments) {
    segments.push_back({{"first", segment.first}, {"count", segment.count}, {"median_ns", number(segment.median)}});
  }
  Json out{{"discarded", plan.discarded},      {"asked", plan.warmup_asked},
           {"verdict", plan.warmup_verdict},   {"cost_ns", whole_nanoseconds(plan.warmup_cost_ns)},
           {"cycle_runs", number(plan.cycle)}, {"segments", std::move(segments)}};
  if (!report.samples.warmup.empty()) out["samples"] = {{"end_to_end_ns", series(report.samples.warmup)}};
  return out;
}

Json processes(const Report& report) {
  Json rows = Json::array();
  if (report.processes.empty()) return rows;
  const auto times = per_process(report);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const ProcessRow& row = report.processes[i];
    rows.push_back({{"count", row.count},
                    {"discarded", row.discarded},
                    {"verdict", row.verdict},
                    {"load_ns", whole_nanoseconds(row.load_ns)},
                    {"first_ns", whole_nanoseconds(row.first_ns)},
                    {"median_ns", number(median_of(times[i]))}});
  }
  return rows;
}

Json cheapest(const Report& report) {
  const auto plan = cheapest_plan(report);
  if (!plan) return nullptr;
  return {{"processes", plan->processes}, {"runs", plan->runs}, {"cost_ns", whole_nanoseconds(plan->cost)}};
}

Json summaries(const SummaryRow& row) {
  Json out{{"end_to_end", summary_json(row.end_to_end)}, {"submit", summary_json(row.submit)}, {"device", summary_json(row.device)}};
  if (row.h2d.count > 0) out["h2d"] = summary_json(row.h2d);
  if (row.d2h.count > 0) out["d2h"] = summary_json(row.d2h);
  return out;
}

Json samples(const Series& samples) {
  Json out{{"count", samples.end_to_end.size()},
           {"end_to_end_ns", series(samples.end_to_end)},
           {"submit_ns", series(samples.submit)},
           {"device_ns", series(samples.device)}};
  if (!samples.h2d.empty()) out["h2d_ns"] = series(samples.h2d);
  if (!samples.d2h.empty()) out["d2h_ns"] = series(samples.d2h);
  if (!samples.start.empty()) out["start_ns"] = series(samples.start);
  if (!samples.blocks.empty()) out["blocks"] = samples.blocks;
  if (!samples.tags.empty()) out["tags"] = tags_json(samples.tags);
  return out;
}

Json idle(const Report& report) {
  Json out = Json::array();
  for (const IdleRow& row : report.idle) {
    const auto ratio = ratio_to_first(report, row);
    out.push_back({{"gap_ns", whole_nanoseconds(row.gap_ns)},
                   {"slept_ns", whole_nanoseconds(row.slept_ns)},
                   {"clock_mhz", row.mhz > 0 ? number(row.mhz) : Json(nullptr)},
                   {"ratio", ratio ? quantile_json(*ratio) : Json(nullptr)},
                   {"summary", summaries(row.summary)},
                   {"samples", samples(row.samples)}});
  }
  return out;
}

bool on_one_line(const Json& value, int level) {
  if (level >= kFlatLevel || !value.is_structured() || value.empty()) return true;
  return value.is_array() && !value.front().is_structured();
}

std::string flat(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

void write(const Json& value, int level, std::string& out) {
  if (on_one_line(value, level)) {
    out += flat(value);
    return;
  }
  const bool object = value.is_object();
  const std::string indent(2 * static_cast<std::size_t>(level + 1), ' ');
  const char* separator = object ? "{\n" : "[\n";
  for (const auto& item : value.items()) {
    out += separator + indent;
    if (object) out += flat(item.key()) + ": ";
    write(item.value(), level + 1, out);
    separator = ",\n";
  }
  out += '\n' + indent.substr(2) + (object ? '}' : ']');
}

}  // namespace

nlohmann::ordered_json number_json(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (std::abs(value) < kExactInteger && value == std::trunc(value)) return static_cast<std::int64_t>(value);
  return value;
}

nlohmann::ordered_json fingerprint_json(const host::Fingerprint& host) {
  return {{"cpu", host.cpu},
          {"cpus_online", host.cpus_online},
          {"cpus_allowed", host.cpus_allowed},
          {"cpu_limit", host.cpu_limit ? number(*host.cpu_limit) : Json(nullptr)},
          {"memory_limit_bytes", host.memory_limit ? Json(*host.memory_limit) : Json(nullptr)},
          {"memory_total_bytes", host.memory_total},
          {"governor", host.governor},
          {"hypervisor", host.hypervisor},
          {"os", host.os},
          {"kernel", host.kernel},
          {"libc", host.libc},
          {"compiler", host.compiler},
          {"build_type", host.build_type},
          {"lapse_version", host.lapse_version},
          {"git_commit", host.git_commit}};
}

nlohmann::ordered_json quantile_json(const stats::QuantileEstimate& estimate) {
  if (!estimate) return {{"needs", estimate.error().runs}};
  Json out{{"value", number(estimate->value)}, {"low", number(estimate->low)}, {"high", number(estimate->high)}};
  if (estimate->effective > 0.0) out["effective"] = number(estimate->effective);
  return out;
}

nlohmann::ordered_json summary_json(const stats::Summary& summary) {
  return {{"median_ns", quantile_json(summary.median)},
          {"p90_ns", quantile_json(summary.p90)},
          {"p95_ns", quantile_json(summary.p95)},
          {"p99_ns", quantile_json(summary.p99)},
          {"p999_ns", quantile_json(summary.p999)},
          {"min_ns", number(summary.min)},
          {"max_ns", number(summary.max)},
          {"mean_ns", number(summary.mean)},
          {"standard_deviation_ns", number(summary.standard_deviation)}};
}

std::string document_text(const nlohmann::ordered_json& document) {
  std::string out;
  write(document, 0, out);
  out += '\n';
  return out;
}

std::string created_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

nlohmann::ordered_json to_json(const Report& report) {
  const PlanRow& plan = report.plan;
  const AnswerRow& answer = report.answer;
  // The samples come last, those behind pauses too, so that the head of a file tells everything else.
  Json document{{"schema", kSchema},
                {"created", report.created},
                {"argv", report.argv},
                {"interrupted", plan.stop == "interrupted"},
                {"failure", failure(report.failure)},
                {"subject", subject(report.subject)},
                {"environment", environment(report)},
                {"device", device(report.device)},
                {"cold", {{"load_ns", whole_nanoseconds(report.load_ns)}, {"first_ns", whole_nanoseconds(report.first_ns)}}},
                {"warmup", warmup(report)},
                {"processes", processes(report)},
                {"plan",
                 {{"precision", number(plan.precision)},
                  {"reached", number(plan.reached)},
                  {"budget_ns", whole_nanoseconds(plan.budget_ns)},
                  {"stop", plan.stop},
                  {"cheapest", cheapest(report)}}},
                {"answer",
                 {{"verdict", answer.verdict},
                  {"sets", answer.sets},
                  {"relative_tolerance", number(answer.relative_tolerance)},
                  {"absolute_tolerance", number(answer.absolute_tolerance)},
                  {"largest_difference", number(answer.largest_difference)}}},
                {"memory",
                 {{"peak_bytes", report.memory.peak},
                  {"whole_process", report.memory.whole_process},
                  {"device_peak_bytes", report.memory.device_peak}}},
                {"summary", summaries(report.summary)},
                {"disturbed", disturbed_json(report)},
                {"audit", audit(report.audit)},
                {"throughput_per_s", number(report.throughput_per_s)},
                {"warnings", warnings(report.warnings)},
                {"samples", samples(report.samples)}};
  if (!report.idle.empty()) document["idle"] = idle(report);
  return document;
}

std::string to_json_text(const Report& report) { return document_text(to_json(report)); }

}  // namespace lapse::report
