#include <lapse/report/machine.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/machine_words.hpp>
#include <lapse/report/terminal.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace lapse::report {
namespace {

using namespace std::chrono_literals;
using measuring::Diagnosis;
using measuring::Grade;
using testing::HasSubstr;
using testing::Not;

MachineReport example() {
  MachineReport report;
  measuring::Examination& seen = report.examination;
  seen.machine.cpu = "A CPU";
  seen.machine.cpus_online = seen.machine.cpus_allowed = 2;
  seen.machine.hypervisor = "kvm";
  seen.allowed = {0, 1};
  seen.before.clock_source = "tsc";
  seen.before.huge_pages = "madvise";
  seen.before.siblings = {{0, {1}}, {1, {0}}};
  seen.before.random_layout = true;
  seen.after = seen.before;
  seen.disturbance = {.steal = 0.03, .others = 0, .throttled = 0};
  seen.clock = {.reading_ns = 25, .resolution = 10ns, .watched = 1s, .gaps = 1, .lost = 3us, .longest = 3us};
  seen.spins = {500us, 500us, 510us};
  seen.arithmetic = {.log_ratios = {0.02, -0.02, 0.02, -0.02, 0.02, -0.02}, .median_ns = 1e7, .runs = 600, .spent = 10s};
  seen.company = {.cpu = 0, .neighbour = 1, .pairs = {.log_ratios = std::vector<double>(6, 0.4), .median_ns = 1e7}};
  seen.spent = 29s;
  report.no_device = "no NVIDIA driver is installed here";
  report.argv = {"lapse", "doctor"};
  return report;
}

MachineReport with_device() {
  MachineReport report = example();
  report.no_device.clear();
  measuring::Truth truth;
  truth.rows.push_back({5us, 5us, 101, {3us, 9us}, {300ns, 1us}, {6us, 20us}, {-1us, -2us}, std::nullopt});
  report.device = ExaminedDevice{"cuda",
                                 {.info = {.name = "A GPU", .driver = {}, .runtime = {}, .memory_bytes = 8ull << 30},
                                  .memory_used = 1u << 30,
                                  .max_mhz = 1980,
                                  .busy = {}},
                                 truth};
  return report;
}

std::set<std::string> facts_in(std::string_view pattern) {
  std::set<std::string> names;
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    names.emplace(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  }
  return names;
}

TEST(MachineWords, EveryDiagnosisHasItsTextInBothLanguages) {
  for (const MachineReport& report : {example(), with_device()}) {
    auto diagnoses = measuring::diagnose(report.examination);
    if (report.device) std::ranges::copy(measuring::diagnose(report.device->state), std::back_inserter(diagnoses));
    for (const Diagnosis& diagnosis : diagnoses) {
      for (const Language language : {Language::English, Language::Korean}) {
        const DiagnosisWords said = words(diagnosis, language);
        EXPECT_THAT(said.message + said.hint, Not(testing::ContainsRegex("[][{}|?]"))) << diagnosis.code << ": a fact is missing";
        EXPECT_FALSE(said.message.empty()) << diagnosis.code;
      }
    }
  }
}

TEST(MachineWords, BothLanguagesUseTheSameFacts) {
  for (const DiagnosisText& row : diagnosis_texts()) {
    EXPECT_EQ(facts_in(row.message.english), facts_in(row.message.korean)) << row.code;
    EXPECT_EQ(facts_in(row.hint.english), facts_in(row.hint.korean)) << row.code;
    EXPECT_EQ(row.hint.english.empty(), row.hint.korean.empty()) << row.code;
    EXPECT_NE(row.message.english, row.message.korean) << row.code;
  }
}

TEST(MachineWords, WhatIsGoodNeedsNoHint) {
  Diagnosis steal{"steal", Grade::Good, {{"share", "0 %"}}};
  EXPECT_EQ(words(steal, Language::English).hint, "");
  steal.grade = Grade::Bad;
  EXPECT_THAT(words(steal, Language::English).hint, HasSubstr("dedicated host"));
}

TEST(MachineWords, ADiagnosisOfALaterLapseSaysItself) { EXPECT_EQ(words({"moon", Grade::Note, {}}, Language::Korean).label, "moon"); }

TEST(MachineText, SaysTheSmallestDifferenceThatCanBeSeenAndTheVerdictOnLinesThatFit) {
  for (const MachineReport& report : {example(), with_device()}) {
    for (const Language language : {Language::English, Language::Korean}) {
      std::istringstream lines(to_text(report, language));
      for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80u) << line;
    }
  }
  const std::string text = to_text(example(), Language::English);
  EXPECT_THAT(text, HasSubstr("fit to measure on · A CPU · 2 of 2 CPUs · in a VM (kvm)"));
  EXPECT_THAT(text, HasSubstr("  noise floor   note  arithmetic: differences under 2.3 % can't be seen here in\n"));
  EXPECT_THAT(text, HasSubstr("  steal         BAD   the hypervisor took 3 % of the CPU time"));
  EXPECT_THAT(text, HasSubstr("→ take a dedicated host"));
  EXPECT_THAT(text, HasSubstr("1.492 times as long"));
  EXPECT_THAT(text, HasSubstr("not as it is"));
  EXPECT_THAT(text, HasSubstr("no GPU: no NVIDIA driver is installed here"));
  EXPECT_THAT(to_text(example(), Language::Korean), HasSubstr("이대로는 부적합"));
}

TEST(MachineText, ADeviceHasItsRowsAndItsTable) {
  const std::string text = to_text(with_device(), Language::English);
  EXPECT_THAT(text, HasSubstr("GPU clock"));
  EXPECT_THAT(text, HasSubstr("how wrong is the timing · cuda · A GPU"));
  EXPECT_THAT(text, Not(HasSubstr("no GPU")));
}

TEST(MachineText, IsAsciiWhereTheTerminalIs) {
  EXPECT_THAT(to_text(example(), Language::Korean, false), testing::Each(testing::AllOf(testing::Ge(0), testing::Le(127))));
  EXPECT_THAT(to_text(example(), Language::English, false), Not(HasSubstr("?")));
}

TEST(MachineJson, HoldsEveryFigure) {
  const auto document = nlohmann::json::parse(to_json_text(example()));
  EXPECT_EQ(document["schema"], "lapse.machine/1");
  EXPECT_EQ(document["grade"], "bad");
  EXPECT_EQ(document["environment"]["steal"], 0.03);
  EXPECT_EQ(document["noise"]["arithmetic"]["pairs"], 6);
  EXPECT_NEAR(document["noise"]["arithmetic"]["unseen"].get<double>(), 0.0233, 1e-3);
  EXPECT_TRUE(document["noise"]["memory"].is_null());
  EXPECT_TRUE(document["effects"]["huge_pages"].is_null());
  EXPECT_EQ(document["effects"]["company"]["neighbour"], 1);
  EXPECT_NEAR(document["effects"]["company"]["ratio"]["value"].get<double>(), 1.4918, 1e-4);
  EXPECT_EQ(document["clock"]["resolution_ns"], 10);
  EXPECT_EQ(document["speed"]["spins_ns"].size(), 3u);
  EXPECT_EQ(document["condition"]["siblings"]["0"][0], 1);
  EXPECT_TRUE(document["condition"]["celsius"].is_null());
  EXPECT_TRUE(document["device"].is_null());
  EXPECT_EQ(document["no_device"], "no NVIDIA driver is installed here");
  bool steal = false;
  for (const auto& finding : document["findings"]) steal = steal || (finding["code"] == "steal" && finding["grade"] == "bad");
  EXPECT_TRUE(steal);
}

TEST(MachineJson, ADeviceBringsItsTruth) {
  const auto document = nlohmann::json::parse(to_json_text(with_device()));
  EXPECT_EQ(document["device"]["truth"]["schema"], "lapse.truth/1");
  EXPECT_EQ(document["device"]["truth"]["device"]["id"], "cuda");
  EXPECT_TRUE(document["device"]["busy_mhz"].is_null());
  EXPECT_EQ(document["device"]["max_mhz"], 1980);
}

}  // namespace
}  // namespace lapse::report
