#include <fmt/format.h>

#include <lapse/report/disturbed.hpp>
#include <lapse/report/idle.hpp>
#include <lapse/report/json_node.hpp>
#include <lapse/report/messages.hpp>
#include <lapse/report/processes.hpp>
#include <lapse/report/render.hpp>

namespace lapse::report {
namespace {

using Json = nlohmann::json;
using Node = JsonNode;
using Wrong = WrongJson;

TensorRow tensor(const Node& node) {
  TensorRow row;
  row.name = node["name"].text();
  row.dtype = node["dtype"].text();
  const Node shape = node["shape"];
  for (std::size_t i = 0; i < shape.size(); ++i) row.shape.push_back(shape[i].count());
  if (node.has("source")) row.source = node["source"].text();
  return row;
}

std::vector<TensorRow> tensors(const Node& node) {
  std::vector<TensorRow> rows;
  for (std::size_t i = 0; i < node.size(); ++i) rows.push_back(tensor(node[i]));
  return rows;
}

SubjectRow subject(const Node& node) {
  SubjectRow row;
  row.model = node["model"].text();
  row.engine = node["engine"].text();
  row.engine_version = node["engine_version"].text();
  row.engine_library = node["engine_library"].text();
  row.device = node["device"].text();
  row.threads = node["threads"].small_count();
  row.batch = node["batch"].count();
  row.asynchronous = node["asynchronous"].boolean();
  if (node.has("transfers")) {
    row.transfers = node["transfers"].text();
    row.graph = node["graph"].boolean();
    row.cold_cache = node["cold_cache"].boolean();
    row.streams = node["streams"].count();
  }
  row.scenario = node["scenario"].one_of({"single-stream", "offline"});
  row.in_flight = node["in_flight"].count();
  row.input_sets = node["input_sets"].count();
  row.inputs = tensors(node["inputs"]);
  row.outputs = tensors(node["outputs"]);
  return row;
}

void environment(const Node& node, Report& report) {
  report.environment = read_fingerprint(node);
  report.load_1min = node["load_1min"].number();
  report.disturbance.steal = node["steal"].number();
  report.disturbance.others = node["others"].number();
  report.disturbance.throttled = node["throttled_periods"].unsigned_count();
}

PlanRow plan(const Node& root) {
  PlanRow row;
  row.precision = root["plan"]["precision"].number();
  row.reached = root["plan"]["reached"].number();
  row.budget_ns = root["plan"]["budget_ns"].duration();
  row.stop = root["plan"]["stop"].one_of({"precision", "budget", "max-runs", "processes", "interrupted", "failed"});
  const Node warmup = root["warmup"];
  // The last three are words of lapse's first days, which had no changepoints.
  row.warmup_verdict =
      warmup["verdict"].one_of({"flat", "warm-up", "slowdown", "no-steady-state", "too-short", "settled", "not-settled", "fixed"});
  row.discarded = warmup["discarded"].count();
  row.warmup_asked = warmup.has("asked") ? warmup["asked"].boolean() : row.warmup_verdict == "fixed";
  if (!warmup.has("segments")) return row;
  row.warmup_cost_ns = warmup["cost_ns"].duration();
  row.cycle = warmup["cycle_runs"].number();
  const Node segments = warmup["segments"];
  for (std::size_t i = 0; i < segments.size(); ++i) {
    row.segments.push_back(
        {segments[i]["first"].unsigned_count(), segments[i]["count"].unsigned_count(), segments[i]["median_ns"].duration()});
  }
  return row;
}

// Of a file of those days the samples tell what later ones say themselves.
void examine_course(Report& report) {
  const std::string& verdict = report.plan.warmup_verdict;
  if (verdict != "settled" && verdict != "not-settled" && verdict != "fixed") return;
  const stats::Steadiness course = stats::examine_course(report.samples.end_to_end);
  report.plan.warmup_verdict = stats::name(course.verdict);
  report.plan.cycle = course.cycle;
  report.plan.segments = course.segments;
}

AnswerRow answer(const Node& node) {
  AnswerRow row;
  row.verdict = node["verdict"].one_of({"unchecked", "correct", "random"});
  row.sets = node["sets"].count();
  row.relative_tolerance = node["relative_tolerance"].number();
  row.absolute_tolerance = node["absolute_tolerance"].number();
  row.largest_difference = node["largest_difference"].number();
  return row;
}

DeviceRow device(const Node& node) {
  return {node["name"].text(), node["driver"].text(), node["runtime"].text(), node["memory_bytes"].unsigned_count()};
}

AuditRow audit(const Node& node) {
  AuditRow row;
  const Node rules = node["rules"];
  for (std::size_t i = 0; i < rules.size(); ++i) {
    row.rules.push_back(
        {rules[i]["rule"].text(), rules[i]["verdict"].one_of({"clean", "found", "not-examined"}), rules[i]["reason"].text()});
  }
  row.spent_ns = node["spent_ns"].duration();
  row.idle_submit_ns = node["idle_submit_ns"].duration();
  row.idle_end_to_end_ns = node["idle_end_to_end_ns"].duration();
  row.backlog_device_ns = node["backlog_device_ns"].duration();
  row.empty_pair_ns = node["empty_pair_ns"].duration();
  row.bound = node["bound"].one_of({"", "launch", "device"});
  return row;
}

Series samples(const Node& node) {
  Series series{node["end_to_end_ns"].durations(), node["submit_ns"].durations(), node["device_ns"].durations(), {}, {}, {}, {}};
  for (const auto& [key, part] :
       {std::pair{"h2d_ns", &series.h2d}, std::pair{"d2h_ns", &series.d2h}, std::pair{"start_ns", &series.start}}) {
    if (!node.has(key)) continue;
    *part = node[key].durations();
    if (part->size() != series.end_to_end.size()) throw Wrong{fmt::format("samples: end_to_end_ns and {} are of different lengths", key)};
  }
  const auto count = node["count"].unsigned_count();
  if (series.end_to_end.size() != count || series.submit.size() != count || series.device.size() != count) {
    throw Wrong{"samples: count, end_to_end_ns, submit_ns and device_ns are of different lengths"};
  }
  if (node.has("tags")) series.tags = read_tags(node["tags"], series.end_to_end.size());
  return series;
}

// After the samples: all of them belong to a process.
std::vector<ProcessRow> processes(const Node& node, const Series& samples) {
  std::vector<ProcessRow> rows;
  std::size_t first = 0;
  const std::size_t all = samples.end_to_end.size();
  for (std::size_t i = 0; i < node.size(); ++i) {
    const Node row = node[i];
    rows.push_back(
        {row["count"].count(), row["discarded"].count(), row["verdict"].text(), row["load_ns"].duration(), row["first_ns"].duration()});
    const auto count = static_cast<std::size_t>(rows.back().count);
    if (count == 0 || count > all - first) throw Wrong{"processes: their counts don't add up to that of the samples"};
    first += count;
  }
  if (!rows.empty() && first != all) throw Wrong{"processes: their counts don't add up to that of the samples"};
  return rows;
}

// After the processes: a block belongs to one of them.
std::vector<std::size_t> blocks(const Node& node, const Report& report) {
  std::vector<std::size_t> counts, ends;
  std::size_t end = 0;
  for (std::size_t i = 0; i < node.size(); ++i) {
    counts.push_back(static_cast<std::size_t>(node[i].count(static_cast<std::int64_t>(report.samples.end_to_end.size()))));
    if (counts.back() == 0) node[i].expected("a block of at least one run");
    ends.push_back(end += counts.back());
  }
  std::size_t boundary = 0;
  for (const auto& times : per_process(report)) {
    boundary += times.size();
    if (!std::ranges::binary_search(ends, boundary)) throw Wrong{"samples.blocks: they don't add up to the samples of each process"};
  }
  if (end != boundary) throw Wrong{"samples.blocks: they are of more runs than there are"};
  return counts;
}

std::vector<IdleRow> idle(const Node& node, const Series& steady) {
  std::vector<IdleRow> rows;
  for (std::size_t i = 0; i < node.size(); ++i) {
    IdleRow& row = rows.emplace_back();
    row.gap_ns = node[i]["gap_ns"].duration();
    row.slept_ns = node[i]["slept_ns"].duration();
    if (!node[i]["clock_mhz"].is_null()) row.mhz = node[i]["clock_mhz"].number();
    row.samples = samples(node[i]["samples"]);
    const auto lacks = [&](std::vector<double> Series::*stage) { return (row.samples.*stage).empty() && !(steady.*stage).empty(); };
    if (!row.samples.end_to_end.empty() && (lacks(&Series::h2d) || lacks(&Series::d2h))) {
      node[i]["samples"].expected("the stages that the other samples have");
    }
    std::size_t left = row.samples.end_to_end.size();
    if (node[i]["samples"].has("blocks")) {
      const Node counts = node[i]["samples"]["blocks"];
      for (std::size_t block = 0; block < counts.size(); ++block) {
        const auto count = static_cast<std::size_t>(counts[block].count());
        if (count == 0 || count > left) counts[block].expected("a block of runs that are there");
        left -= count;
        row.samples.blocks.push_back(count);
      }
    }
    if (left > 0) node[i]["samples"].expected("blocks that hold all runs");
    row.summary = summarise_blocks(row.samples);
  }
  return rows;
}

measuring::Warnings warnings(const Node& node) {
  measuring::Warnings out;
  for (std::size_t i = 0; i < node.size(); ++i) {
    measuring::Warning warning{node[i]["code"].text(), node[i]["facts"].facts()};
    const std::string message = node[i]["message"].text(), hint = node[i]["hint"].text();
    if (!known(warning)) {
      warning.facts["message"] = message;
      warning.facts["hint"] = hint;
    }
    out.push_back(std::move(warning));
  }
  return out;
}

Report report_of(const Node& root) {
  if (root["schema"].text() != kSchema) root["schema"].expected(fmt::format("{}", kSchema));
  Report report;
  report.created = root["created"].text();
  report.argv = root["argv"].texts();
  report.subject = subject(root["subject"]);
  environment(root["environment"], report);
  // Keys that files of lapse 0.1's first days lack.
  if (root.has("device")) report.device = device(root["device"]);
  if (root.has("audit")) report.audit = audit(root["audit"]);
  if (root.has("failure") && !root["failure"].is_null()) {
    const Node failure = root["failure"];
    report.failure = {failure["code"].text(), failure["message"].text(), failure["hint"].text()};
  }
  report.load_ns = root["cold"]["load_ns"].duration();
  report.first_ns = root["cold"]["first_ns"].duration();
  report.plan = plan(root);
  report.answer = answer(root["answer"]);
  report.memory.peak = root["memory"]["peak_bytes"].unsigned_count();
  report.memory.whole_process = root["memory"]["whole_process"].boolean();
  if (root["memory"].has("device_peak_bytes")) report.memory.device_peak = root["memory"]["device_peak_bytes"].unsigned_count();
  report.samples = samples(root["samples"]);
  if (root["warmup"].has("samples")) report.samples.warmup = root["warmup"]["samples"]["end_to_end_ns"].durations();
  if (root.has("processes")) report.processes = processes(root["processes"], report.samples);
  if (root["samples"].has("blocks")) report.samples.blocks = blocks(root["samples"]["blocks"], report);
  report.summary = summarise(report.samples, report.processes);
  examine_course(report);
  if (root.has("idle")) report.idle = idle(root["idle"], report.samples);
  report.throughput_per_s = root["throughput_per_s"].number();
  report.warnings = warnings(root["warnings"]);
  return report;
}

}  // namespace

std::string schema_of(std::string_view text) {
  std::string schema;
  bool next = false;  // the value that comes next is the schema
  // Everything else is thrown away as it is read.
  const auto look = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth == 1 && event == Json::parse_event_t::key) next = value == "schema";
    if (depth == 1 && event == Json::parse_event_t::value && next && value.is_string()) schema = value.get<std::string>();
    return depth == 0;
  };
  const bool whole = !Json::parse(text, look, /*allow_exceptions=*/false).is_discarded();
  return whole ? schema : std::string{};
}

Result<Report> from_json(std::string_view text) {
  return read_json(text, "not a result of lapse", "give a file that `lapse time --json FILE` wrote", report_of);
}

}  // namespace lapse::report
