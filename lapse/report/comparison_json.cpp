#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <lapse/base/version.hpp>
#include <lapse/report/comparison.hpp>
#include <lapse/report/json_node.hpp>
#include <lapse/report/json_parts.hpp>
#include <nlohmann/json.hpp>
#include <ranges>

namespace lapse::report {
namespace {

using Json = nlohmann::ordered_json;

Json side_json(const ComparedSide& side) {
  return {{"created", side.created},          {"model", side.subject.model},
          {"engine", side.subject.engine},    {"engine_version", side.subject.engine_version},
          {"device", side.subject.device},    {"threads", side.subject.threads},
          {"batch", side.subject.batch},      {"processes", side.processes},
          {"no_steady_state", side.unsteady}, {"runs", side.runs}};
}

Json metric_json(const ComparedMetric& metric) {
  const stats::Decision& decision = metric.decision;
  return {{"metric", metric.name},
          {"a_ns", number_json(metric.a_ns)},
          {"b_ns", number_json(metric.b_ns)},
          {"ratio", number_json(decision.ratio)},
          {"low", number_json(decision.low)},
          {"high", number_json(decision.high)},
          {"confidence", decision.confidence},
          {"p", decision.p ? number_json(*decision.p) : Json(nullptr)},
          {"basis", name(metric.contrast.basis)},
          {"verdict", name(decision.change)},
          {"processes_needed", metric.processes_needed}};
}

Json model_json(const ComparedModel& model) {
  Json differences = Json::array(), forced = Json::array(), metrics = Json::array();
  for (const Difference& each : model.differences) differences.push_back({{"key", each.key}, {"a", each.a}, {"b", each.b}});
  for (const Obstacle& each : model.forced) {
    forced.push_back({{"code", each.code}, {"message", say(each, Language::English)}, {"facts", Json(each.facts)}});
  }
  for (const ComparedMetric& each : model.metrics) metrics.push_back(metric_json(each));
  return {{"name", model.name},          {"a", side_json(model.a)},        {"b", side_json(model.b)},
          {"turns", model.turns},        {"near_clock", model.near_clock}, {"differences", std::move(differences)},
          {"forced", std::move(forced)}, {"metrics", std::move(metrics)},  {"tail_needs", model.tail_needs}};
}

/// The one of `all` that has this name.
template <class Enum, std::size_t kCount>
Enum named(const JsonNode& node, const std::array<Enum, kCount>& all) {
  const std::string text = node.text();
  for (const Enum each : all) {
    if (name(each) == text) return each;
  }
  node.expected(fmt::format("one of {}", fmt::join(all | std::views::transform([](Enum each) { return name(each); }), ", ")));
}

template <class Read>
auto list(const JsonNode& node, Read read) {
  std::vector<decltype(read(node))> out;
  for (std::size_t i = 0; i < node.size(); ++i) out.push_back(read(node[i]));
  return out;
}

ComparedSide read_side(const JsonNode& node) {
  ComparedSide side;
  side.created = node["created"].text();
  side.subject.model = node["model"].text();
  side.subject.engine = node["engine"].text();
  side.subject.engine_version = node["engine_version"].text();
  side.subject.device = node["device"].text();
  side.subject.threads = node["threads"].small_count();
  side.subject.batch = node["batch"].count();
  side.processes = node["processes"].unsigned_count();
  side.unsteady = node["no_steady_state"].unsigned_count();
  side.runs = node["runs"].unsigned_count();
  return side;
}

ComparedMetric read_metric(const JsonNode& node) {
  using stats::Basis;
  using stats::Change;
  ComparedMetric metric;
  metric.name = node["metric"].text();
  metric.a_ns = node["a_ns"].duration();
  metric.b_ns = node["b_ns"].duration();
  metric.contrast.basis = named(node["basis"], std::array{Basis::ThisProcess, Basis::FewProcesses, Basis::GivenNoise, Basis::Processes});
  stats::Decision& decision = metric.decision;
  decision.ratio = node["ratio"].number();
  decision.low = node["low"].number();
  decision.high = node["high"].number();
  decision.confidence = node["confidence"].number();
  if (!node["p"].is_null()) decision.p = node["p"].number();
  decision.change = named(node["verdict"], std::array{Change::Faster, Change::Slower, Change::Equivalent, Change::Undecided});
  metric.processes_needed = node["processes_needed"].unsigned_count();
  return metric;
}

Difference read_difference(const JsonNode& node) { return {node["key"].text(), node["a"].text(), node["b"].text()}; }

Obstacle read_obstacle(const JsonNode& node) {
  const auto facts = node["facts"].facts();
  return {node["code"].text(), {facts.begin(), facts.end()}};
}

ComparedModel read_model(const JsonNode& node) {
  ComparedModel model;
  model.name = node["name"].text();
  model.a = read_side(node["a"]);
  model.b = read_side(node["b"]);
  model.turns = node["turns"].boolean();
  if (node.has("near_clock")) model.near_clock = node["near_clock"].boolean();
  model.differences = list(node["differences"], read_difference);
  model.forced = list(node["forced"], read_obstacle);
  model.metrics = list(node["metrics"], read_metric);
  if (model.metrics.empty()) node["metrics"].expected("one metric at least");
  model.tail_needs = node["tail_needs"].unsigned_count();
  return model;
}

Comparison read_comparison(const JsonNode& root) {
  if (root["schema"].text() != kComparisonSchema) root["schema"].expected(std::string(kComparisonSchema));
  Comparison comparison;
  comparison.created = root["created"].text();
  comparison.argv = root["argv"].texts();
  comparison.a = root["a"].text();
  comparison.b = root["b"].text();
  comparison.environment = read_fingerprint(root["environment"]);
  comparison.rules.margin = root["margin"].number();
  if (!root["noise"].is_null()) comparison.rules.noise = root["noise"].number();
  comparison.models = list(root["models"], read_model);
  if (comparison.models.empty()) root["models"].expected("one model at least");
  comparison.only_a = root["only_a"].texts();
  comparison.only_b = root["only_b"].texts();
  if (root.has("interrupted")) comparison.interrupted = root["interrupted"].boolean();
  return comparison;
}

}  // namespace

Result<Comparison> comparison_from_json(std::string_view text) {
  return read_json(text, "not a comparison of lapse", "give a file that `lapse compare --json FILE` wrote", read_comparison);
}

std::string to_json_text(const Comparison& comparison) {
  Json models = Json::array();
  for (const ComparedModel& each : comparison.models) models.push_back(model_json(each));
  const std::optional<double>& noise = comparison.rules.noise;
  return document_text({{"schema", kComparisonSchema},
                        {"lapse", version()},
                        {"created", comparison.created},
                        {"argv", comparison.argv},
                        {"a", comparison.a},
                        {"b", comparison.b},
                        {"regression", comparison.regressed()},
                        {"undecided", comparison.undecided()},
                        {"interrupted", comparison.interrupted},
                        {"margin", number_json(comparison.rules.margin)},
                        {"noise", noise ? number_json(*noise) : Json(nullptr)},
                        {"environment", fingerprint_json(comparison.environment)},
                        {"only_a", comparison.only_a},
                        {"only_b", comparison.only_b},
                        {"models", std::move(models)}});
}

}  // namespace lapse::report
