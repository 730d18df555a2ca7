#include <lapse/base/version.hpp>
#include <lapse/report/comparison.hpp>
#include <lapse/report/json_parts.hpp>
#include <nlohmann/json.hpp>

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
  return {{"name", model.name},
          {"a", side_json(model.a)},
          {"b", side_json(model.b)},
          {"turns", model.turns},
          {"differences", std::move(differences)},
          {"forced", std::move(forced)},
          {"metrics", std::move(metrics)},
          {"tail_needs", model.tail_needs}};
}

}  // namespace

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
                        {"margin", number_json(comparison.rules.margin)},
                        {"noise", noise ? number_json(*noise) : Json(nullptr)},
                        {"environment", fingerprint_json(comparison.environment)},
                        {"only_a", comparison.only_a},
                        {"only_b", comparison.only_b},
                        {"models", std::move(models)}});
}

}  // namespace lapse::report
