// What keeps two measurements from being compared.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <lapse/report/comparison.hpp>
#include <lapse/report/terminal.hpp>

namespace lapse::report {
namespace {

struct ObstacleText {
  std::string_view code;
  Phrase phrase;
};
constexpr std::array kObstacles{
    ObstacleText{
        "other-machine",
        {"A and B were measured on different machines: {key} is {a} and {b}", "A와 B를 서로 다른 기기에서 측정했습니다: {key} {a}, {b}"}},
    ObstacleText{
        "other-device",
        {"A and B were measured on different devices: {key} is {a} and {b}", "A와 B를 서로 다른 장치에서 측정했습니다: {key} {a}, {b}"}},
    ObstacleText{"other-work", {"A and B did different work: {key} is {a} and {b}", "A와 B가 한 작업이 서로 다릅니다: {key} {a}, {b}"}},
    ObstacleText{"interrupted", {"the measurement of {side} was interrupted", "{side} 측정이 중단되었습니다"}},
    ObstacleText{"failed", {"the measurement of {side} failed[: {message}]", "{side} 측정이 실패했습니다[: {message}]"}},
    ObstacleText{"times-wrong", {"the times of {side} are wrong: {reason}", "{side}의 시간은 틀린 값입니다: {reason}"}},
};

std::string shape(const TensorRow& row) { return fmt::format("{}", fmt::join(row.shape, "x")); }

/// Not by name: another engine or export may call them otherwise.
std::string inputs(const Report& report) {
  std::string out;
  for (const TensorRow& row : report.subject.inputs) out += (out.empty() ? "" : ", ") + row.dtype + ' ' + shape(row);
  return out;
}
std::string output_shapes(const Report& report) {
  std::string out;
  for (const TensorRow& row : report.subject.outputs) out += (out.empty() ? "" : ", ") + shape(row);
  return out;
}

void add_of_side(const std::string& side, const Report& report, std::vector<Obstacle>& out) {
  if (report.plan.stop == "interrupted") out.push_back({"interrupted", {{"side", side}}});
  if (report.plan.stop == "failed") {
    Facts facts{{"side", side}};
    if (report.failure) facts["message"] = report.failure->message;
    out.push_back({"failed", std::move(facts)});
  }
  for (const RuleRow& row : report.audit.rules) {
    if (row.verdict != "found") continue;
    if (std::string reason = rule_words(row.rule, Language::English).wrong; !reason.empty()) {
      out.push_back({"times-wrong", {{"side", side}, {"reason", std::move(reason)}}});
    }
  }
}

}  // namespace

std::vector<Obstacle> obstacles(const Pair& pair) {
  std::vector<Obstacle> out;
  add_of_side("A", pair.a, out);
  add_of_side("B", pair.b, out);
  const auto alike = [&](const char* code, const char* key, const auto& value) {
    const auto left = value(pair.a), right = value(pair.b);
    if (left != right) out.push_back({code, {{"key", key}, {"a", fmt::format("{}", left)}, {"b", fmt::format("{}", right)}}});
  };
  if (pair.log_ratios.empty()) {
    alike("other-machine", "cpu", [](const Report& report) { return report.environment.cpu; });
    alike("other-machine", "cpus_online", [](const Report& report) { return report.environment.cpus_online; });
    alike("other-machine", "cpus_allowed", [](const Report& report) { return report.environment.cpus_allowed; });
    alike("other-machine", "cpu_limit", [](const Report& report) { return report.environment.cpu_limit.value_or(0.0); });
    alike("other-machine", "hypervisor", [](const Report& report) { return report.environment.hypervisor; });
  }
  alike("other-device", "device", [](const Report& report) { return report.subject.device; });
  alike("other-device", "device.name", [](const Report& report) { return report.device.name; });
  alike("other-work", "batch", [](const Report& report) { return report.subject.batch; });
  alike("other-work", "scenario", [](const Report& report) { return report.subject.scenario; });
  alike("other-work", "in_flight", [](const Report& report) { return report.subject.in_flight; });
  alike("other-work", "input_sets", [](const Report& report) { return report.subject.input_sets; });
  alike("other-work", "transfers", [](const Report& report) { return report.subject.transfers; });
  alike("other-work", "cold_cache", [](const Report& report) { return report.subject.cold_cache; });
  alike("other-work", "inputs", inputs);
  alike("other-work", "outputs", output_shapes);
  return out;
}

std::string say(const Obstacle& obstacle, Language language) {
  const auto row = std::ranges::find(kObstacles, obstacle.code, &ObstacleText::code);
  if (row == kObstacles.end()) return printable(obstacle.code);
  Facts facts = obstacle.facts;
  for (const char* side : {"a", "b"}) {
    if (const auto fact = facts.find(side); fact != facts.end() && fact->second.empty()) fact->second = "?";
  }
  return printable(say(row->phrase, language, facts));
}

}  // namespace lapse::report
