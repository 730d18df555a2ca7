#include <fmt/format.h>

#include <lapse/base/version.hpp>
#include <lapse/measure/diagnosis.hpp>
#include <lapse/report/json_parts.hpp>
#include <lapse/report/machine.hpp>
#include <lapse/report/machine_words.hpp>
#include <lapse/report/outline.hpp>
#include <lapse/report/terminal.hpp>
#include <lapse/report/text_page.hpp>
#include <lapse/report/truth.hpp>
#include <nlohmann/json.hpp>

namespace lapse::report {
namespace {

using Json = nlohmann::ordered_json;
using measuring::Diagnosis;
using measuring::Examination;
using measuring::Grade;
using measuring::Pairs;

constexpr std::size_t kGradeColumn = 16;  // as the values of other reports
constexpr std::size_t kMessageColumn = 22;

constexpr Phrase kTitle{"is this machine fit to measure on", "이 컴퓨터에서 재도 되는가"};
constexpr Phrase kNoDevice{"no GPU: {reason}", "GPU 없음: {reason}"};
constexpr Phrase kScope{"The noise floor is that of one process; what differs from process to process comes on top.",
                        "최소 잡음은 프로세스 하나의 값입니다. 프로세스마다 다른 것은 여기에 더해집니다."};

constexpr Phrase grade_word(Grade grade) {
  switch (grade) {
    case Grade::Good:
      return {"good", "좋음"};
    case Grade::Note:
      return {"note", "참고"};
    case Grade::Bad:
      return {"BAD", "나쁨"};
  }
  return {};
}

constexpr Phrase verdict(Grade worst) {
  switch (worst) {
    case Grade::Good:
      return {"fit: nothing was found that would make its numbers worse", "적합: 측정을 나쁘게 할 것이 없습니다"};
    case Grade::Note:
      return {"fit, with what is noted in mind", "적합하지만 참고 항목을 염두에 두세요"};
    case Grade::Bad:
      return {"not as it is: see to what is BAD first", "이대로는 부적합: 나쁨 항목을 먼저 해결하세요"};
  }
  return {};
}

std::vector<Diagnosis> all_diagnoses(const MachineReport& report) {
  auto diagnoses = measuring::diagnose(report.examination);
  if (report.device) std::ranges::move(measuring::diagnose(report.device->state), std::back_inserter(diagnoses));
  return diagnoses;
}

void add(TextPage& page, const Diagnosis& diagnosis, Language language) {
  const DiagnosisWords said = words(diagnosis, language);
  page.line(padded(padded("  " + said.label, kGradeColumn) + say(grade_word(diagnosis.grade), language), kMessageColumn) + said.message,
            kMessageColumn);
  if (!said.hint.empty()) page.line(std::string(kMessageColumn, ' ') + "→ " + said.hint, kMessageColumn + 2);
}

Json pairs_json(const std::optional<Pairs>& pairs, bool with_itself) {
  if (!pairs) return nullptr;
  const auto ratio = measuring::ratio(*pairs);
  Json out{{"pairs", pairs->log_ratios.size()},
           {"runs", pairs->runs},
           {"median_ns", number_json(pairs->median_ns)},
           {"spent_ns", pairs->spent.count()},
           {"ratio", ratio ? Json{{"value", ratio->value}, {"low", ratio->low}, {"high", ratio->high}} : Json(nullptr)}};
  if (with_itself) {
    const auto floor = measuring::noise_floor(*pairs);
    out["unseen"] = floor ? Json(floor->unseen) : Json(nullptr);
    out["found"] = floor ? Json(floor->found) : Json(nullptr);
  }
  out["log_ratios"] = pairs->log_ratios;
  return out;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json condition_json(const Examination& seen) {
  const host::Condition& before = seen.before;
  const host::Condition& after = seen.after;
  Json siblings = Json::object();
  for (const auto& [cpu, others] : before.siblings) siblings[std::to_string(cpu)] = others;
  return {{"clock_source", before.clock_source},
          {"clock_sources", before.clock_sources},
          {"lowest_mhz", before.lowest_mhz},
          {"highest_mhz", before.highest_mhz},
          {"turbo", or_null(before.turbo)},
          {"throttle_events_before", or_null(before.throttle_events)},
          {"throttle_events", or_null(after.throttle_events)},
          {"celsius", or_null(after.celsius)},
          {"celsius_left", or_null(after.celsius_left)},
          {"allowed_cpus", seen.allowed},
          {"siblings", std::move(siblings)},
          {"huge_pages", after.huge_pages},
          {"swap_total_bytes", after.swap_total},
          {"swap_used_bytes", after.swap_used},
          {"swapped_pages", after.swapped_pages - std::min(after.swapped_pages, before.swapped_pages)},
          {"random_layout", or_null(after.random_layout)}};
}

Json clock_json(const measuring::ClockQuality& clock) {
  return {{"reading_ns", number_json(clock.reading_ns)},
          {"resolution_ns", clock.resolution.count()},
          {"backward", clock.backward},
          {"watched_ns", clock.watched.count()},
          {"gaps", clock.gaps},
          {"lost_ns", clock.lost.count()},
          {"longest_ns", clock.longest.count()}};
}

Json speed_json(const std::vector<Duration>& spins) {
  Json times = Json::array();
  for (const Duration spin : spins) times.push_back(spin.count());
  return {{"spread", measuring::speed_spread(spins)}, {"spins_ns", std::move(times)}};
}

Json device_json(const std::optional<ExaminedDevice>& device) {
  if (!device) return nullptr;
  const measuring::DeviceState& state = device->state;
  return {{"memory_used_bytes", state.memory_used},
          {"max_mhz", state.max_mhz},
          {"busy_mhz", state.busy ? Json(state.busy->mhz) : Json(nullptr)},
          {"truth", to_json(device->truth, device->id, state.info)}};
}

Json company_json(const std::optional<measuring::Company>& company) {
  if (!company) return nullptr;
  Json out{{"cpu", company->cpu}, {"neighbour", company->neighbour}};
  out.update(pairs_json(company->pairs, false));
  return out;
}

}  // namespace

std::string to_text(const MachineReport& report, Language language, bool unicode) {
  if (!unicode) language = Language::English;  // there is no Korean in ASCII
  TextPage page(unicode);
  page.line(say(kTitle, language) + " · " + machine(report.examination.machine, language), 2);
  page.blank();
  const auto diagnoses = all_diagnoses(report);
  for (const Diagnosis& diagnosis : diagnoses) add(page, diagnosis, language);
  page.blank();
  page.line("  " + say(verdict(measuring::worst(diagnoses)), language), 2);
  page.line("  " + say(kScope, language), 2);
  if (!report.device) {
    if (!report.no_device.empty()) page.line("  " + say(kNoDevice, language, {{"reason", report.no_device}}), 2);
    return page.take();
  }
  page.blank();
  return page.take() + to_text(report.device->truth, report.device->id, report.device->state.info, language, unicode);
}

std::string to_json_text(const MachineReport& report) {
  const Examination& seen = report.examination;
  const auto diagnoses = all_diagnoses(report);
  Json findings = Json::array();
  for (const Diagnosis& diagnosis : diagnoses) {
    const DiagnosisWords said = words(diagnosis, Language::English);
    findings.push_back({{"code", diagnosis.code},
                        {"grade", measuring::name(diagnosis.grade)},
                        {"message", said.message},
                        {"hint", said.hint},
                        {"facts", diagnosis.facts}});
  }
  Json environment = fingerprint_json(seen.machine);
  environment["load_1min"] = number_json(seen.load_1min);
  environment["steal"] = number_json(seen.disturbance.steal);
  environment["others"] = number_json(seen.disturbance.others);
  environment["throttled_periods"] = seen.disturbance.throttled;
  return document_text({{"schema", kMachineSchema},
                        {"created", created_now()},
                        {"argv", report.argv},
                        {"environment", std::move(environment)},
                        {"grade", measuring::name(measuring::worst(diagnoses))},
                        {"findings", std::move(findings)},
                        {"spent_ns", seen.spent.count()},
                        {"noise", {{"arithmetic", pairs_json(seen.arithmetic, true)}, {"memory", pairs_json(seen.memory, true)}}},
                        {"effects", {{"huge_pages", pairs_json(seen.huge_pages, false)}, {"company", company_json(seen.company)}}},
                        {"clock", clock_json(seen.clock)},
                        {"speed", speed_json(seen.spins)},
                        {"condition", condition_json(seen)},
                        {"device", device_json(report.device)},
                        {"no_device", report.no_device}});
}

}  // namespace lapse::report
