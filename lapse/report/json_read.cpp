#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <lapse/report/messages.hpp>
#include <lapse/report/render.hpp>
#include <limits>
#include <nlohmann/json.hpp>

namespace lapse::report {
namespace {

using Json = nlohmann::json;

constexpr double kLongest = 9.0e18;  // nanoseconds that int64 holds

/// What is wrong with a document; thrown and caught in this file only.
struct Wrong {
  std::string message;
};

/// A value of the document that knows where it stands, so that every complaint names the key.
class Node {
 public:
  Node(const Json& value, std::string path) : value_(value), path_(std::move(path)) {}

  Node operator[](const char* key) const {
    if (!value_.is_object()) expected("an object");
    const auto found = value_.find(key);
    if (found == value_.end()) throw Wrong{below(key) + ": missing"};
    return {*found, below(key)};
  }
  Node operator[](std::size_t index) const { return {value_[index], fmt::format("{}[{}]", path_, index)}; }

  std::string text() const {
    if (!value_.is_string()) expected("a string");
    return value_.get<std::string>();
  }

  bool boolean() const {
    if (!value_.is_boolean()) expected("true or false");
    return value_.get<bool>();
  }

  std::int64_t count(std::int64_t most = std::numeric_limits<std::int64_t>::max()) const {
    if (!value_.is_number_integer()) expected("a whole number");
    const auto count = value_.get<std::int64_t>();  // what only uint64 holds wraps round to a negative number
    if (count < 0 || count > most) expected(fmt::format("a whole number in 0 … {}", most));
    return count;
  }
  int small_count() const { return static_cast<int>(count(std::numeric_limits<int>::max())); }
  std::uint64_t unsigned_count() const { return static_cast<std::uint64_t>(count()); }

  /// Finite, or infinite where it is null.
  double number() const {
    if (value_.is_null()) return std::numeric_limits<double>::infinity();
    if (!value_.is_number()) expected("a number");
    return value_.get<double>();
  }
  double duration() const {
    const double ns = number();
    if (!value_.is_null() && !is_duration(ns)) expected("nanoseconds, 0 or more");
    return ns;
  }
  std::vector<double> durations() const {
    if (!value_.is_array()) expected("an array of numbers");
    std::vector<double> out;
    out.reserve(value_.size());
    for (const Json& item : value_) {
      if (!item.is_number()) expected("an array of numbers");
      out.push_back(item.get<double>());
      if (!is_duration(out.back())) expected("an array of nanoseconds, each 0 or more");
    }
    return out;
  }

  std::string one_of(std::initializer_list<const char*> words) const {
    const bool known = value_.is_string() && std::any_of(words.begin(), words.end(), [this](const char* word) { return value_ == word; });
    if (!known) expected(fmt::format("one of {}", fmt::join(words, ", ")));
    return value_.get<std::string>();
  }

  bool is_null() const { return value_.is_null(); }
  bool has(const char* key) const { return value_.contains(key); }

  std::size_t size() const {
    if (!value_.is_array()) expected("an array");
    return value_.size();
  }

  std::map<std::string, std::string> facts() const {
    if (!value_.is_object()) expected("an object of strings");
    std::map<std::string, std::string> out;
    for (const auto& [key, value] : value_.items()) {
      if (!value.is_string()) expected("an object of strings");
      out.emplace(key, value.get<std::string>());
    }
    return out;
  }

  /// Always throws.
  [[noreturn]] void expected(const std::string& what) const {
    throw Wrong{fmt::format("{}: expected {}", path_.empty() ? "the document" : path_, what)};
  }

 private:
  static bool is_duration(double ns) { return ns >= 0 && ns <= kLongest; }
  std::string below(const char* key) const { return path_.empty() ? key : path_ + '.' + key; }

  const Json& value_;
  std::string path_;
};

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
  host::Fingerprint& host = report.environment;
  host.cpu = node["cpu"].text();
  host.cpus_online = node["cpus_online"].small_count();
  host.cpus_allowed = node["cpus_allowed"].small_count();
  if (!node["cpu_limit"].is_null()) host.cpu_limit = node["cpu_limit"].number();
  if (!node["memory_limit_bytes"].is_null()) host.memory_limit = node["memory_limit_bytes"].unsigned_count();
  host.memory_total = node["memory_total_bytes"].unsigned_count();
  host.governor = node["governor"].text();
  host.hypervisor = node["hypervisor"].text();
  host.os = node["os"].text();
  host.kernel = node["kernel"].text();
  host.libc = node["libc"].text();
  host.compiler = node["compiler"].text();
  host.build_type = node["build_type"].text();
  host.lapse_version = node["lapse_version"].text();
  host.git_commit = node["git_commit"].text();
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
  row.stop = root["plan"]["stop"].one_of({"precision", "budget", "max-runs", "interrupted", "failed"});
  row.warmup_verdict = root["warmup"]["verdict"].one_of({"settled", "not-settled", "too-short", "fixed"});
  row.discarded = root["warmup"]["discarded"].count();
  return row;
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
  Series series{node["end_to_end_ns"].durations(), node["submit_ns"].durations(), node["device_ns"].durations(), {}, {}, {}};
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
  return series;
}

SummaryRow summarise(const Series& samples) {
  SummaryRow summary;
  summary.end_to_end = stats::summarise(samples.end_to_end);
  // On a blocking subject the three series are one; sorting a million samples thrice would be most of the reading.
  summary.submit = samples.submit == samples.end_to_end ? summary.end_to_end : stats::summarise(samples.submit);
  summary.device = samples.device == samples.end_to_end ? summary.end_to_end : stats::summarise(samples.device);
  if (!samples.h2d.empty()) summary.h2d = stats::summarise(samples.h2d);
  if (!samples.d2h.empty()) summary.d2h = stats::summarise(samples.d2h);
  return summary;
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
  const Node argv = root["argv"];
  for (std::size_t i = 0; i < argv.size(); ++i) report.argv.push_back(argv[i].text());
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
  report.summary = summarise(report.samples);
  report.throughput_per_s = root["throughput_per_s"].number();
  report.warnings = warnings(root["warnings"]);
  return report;
}

std::string place(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte == 0 ? 0 : byte - 1, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", line, before.size() - line_start + 1);
}

}  // namespace

Result<Report> from_json(std::string_view text) {
  const auto bad = [](std::string message) {
    return fail(ErrorCode::BadInput, "not a result of lapse: " + std::move(message), "give a file that `lapse time --json FILE` wrote");
  };
  try {
    const Json document = Json::parse(text);
    return report_of(Node(document, ""));
  } catch (const Wrong& wrong) {
    return bad(wrong.message);
  } catch (const Json::parse_error& error) {
    return bad("not JSON at " + place(text, error.byte));
  } catch (const Json::exception&) {
    return bad("a number is out of range");
  }
}

}  // namespace lapse::report
