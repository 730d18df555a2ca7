#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <lapse/report/comparison.hpp>
#include <lapse/report/processes.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using stats::Basis;
using stats::Change;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Processes of `runs` runs each; the times of each are 5 ms and what example::skewed adds to it, times its factor.
Report of_processes(const std::vector<double>& factors, std::size_t runs = 250) {
  Report report = example::synchronous();
  report.samples.end_to_end.clear();
  for (const double factor : factors) {
    for (const double time : example::skewed(runs)) report.samples.end_to_end.push_back(std::round(factor * time));
    report.processes.push_back({static_cast<std::int64_t>(runs), 20, "flat", 12.3e6, 8.12e6});
  }
  report.samples.submit = report.samples.device = report.samples.end_to_end;
  example::resummarise(report);
  return report;
}

const std::vector<double> kSpread{0.99, 1.0, 1.01, 1.0, 1.005, 0.995};

std::vector<double> times(double factor, std::vector<double> values) {
  for (double& value : values) value *= factor;
  return values;
}

Result<Comparison> compare_one(Report a, Report b, const ComparisonRules& rules = {}) {
  const Pair pair{"", std::move(a), std::move(b), {}};
  return compare(std::span(&pair, 1), rules);
}

TEST(PerProcess, TakesTheSamplesApartInOrder) {
  Report report = example::synchronous();
  ASSERT_EQ(per_process(report).size(), 1U);
  EXPECT_EQ(per_process(report).front().size(), report.samples.end_to_end.size());
  report.samples.end_to_end = {1, 2, 3, 4, 5};
  report.processes = {{2, 0, "flat", 0, 0}, {0, 0, "flat", 0, 0}, {3, 0, "flat", 0, 0}};
  const auto parts = per_process(report);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_THAT(parts[0], ElementsAre(1, 2));
  EXPECT_TRUE(parts[1].empty());
  EXPECT_THAT(parts[2], ElementsAre(3, 4, 5));
}

TEST(Compare, ASlowerProgramIsARegressionInMedianAndTail) {
  const auto found = compare_one(of_processes(kSpread), of_processes(times(1.05, kSpread)));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->models.size(), 1U);
  const auto& metrics = found->models.front().metrics;
  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(metrics[0].name, "median");
  EXPECT_EQ(metrics[1].name, "p99");
  for (const ComparedMetric& metric : metrics) {
    EXPECT_EQ(metric.decision.change, Change::Slower);
    EXPECT_NEAR(metric.decision.ratio, 1.05, 1e-5);
    EXPECT_NEAR(metric.b_ns / metric.a_ns, metric.decision.ratio, 1e-9);
  }
  EXPECT_TRUE(found->regressed());
  EXPECT_FALSE(found->undecided());
}

TEST(Compare, AFasterOneIsNone) {
  const auto found = compare_one(of_processes(times(1.05, kSpread)), of_processes(kSpread));
  EXPECT_EQ(found->models[0].metrics[0].decision.change, Change::Faster);
  EXPECT_FALSE(found->regressed());
}

TEST(Compare, WithinTheMarginIsEquivalent) {
  const auto found = compare_one(of_processes(kSpread), of_processes(times(1.001, kSpread)), {0.02, std::nullopt, false});
  EXPECT_EQ(found->models[0].metrics[0].decision.change, Change::Equivalent);
  EXPECT_FALSE(found->regressed() || found->undecided());
}

TEST(Compare, OneProcessASideIsUndecidedHoweverLargeTheDifference) {
  Report slow = example::synchronous();
  for (double& time : slow.samples.end_to_end) time *= 2;
  const auto found = compare_one(example::synchronous(), slow);
  const ComparedMetric& median = found->models[0].metrics[0];
  EXPECT_EQ(median.decision.change, Change::Undecided);
  EXPECT_EQ(median.contrast.basis, Basis::ThisProcess);
  EXPECT_GT(median.decision.low, 1.9);
  EXPECT_EQ(median.processes_needed, 0U);
  EXPECT_TRUE(found->undecided());
  EXPECT_THAT(to_text(*found, Language::English),
              AllOf(HasSubstr("this process only"), HasSubstr("undecided: median, p99; nothing is shown to be slower")));
}

TEST(Compare, UnlessItIsToldHowMuchProcessesDiffer) {
  Report slow = example::synchronous();
  for (double& time : slow.samples.end_to_end) time *= 1.2;
  EXPECT_EQ(compare_one(example::synchronous(), slow, {0.01, 0.03, false})->models[0].metrics[0].decision.change, Change::Slower);
  EXPECT_EQ(compare_one(example::synchronous(), slow, {0.01, 0.2, false})->models[0].metrics[0].decision.change, Change::Undecided);
}

TEST(Compare, SaysHowManyProcessesWouldTell) {
  const auto few = compare_one(of_processes({0.97, 1.03, 1.0}), of_processes({0.98, 1.02, 1.01}));
  EXPECT_EQ(few->models[0].metrics[0].contrast.basis, Basis::FewProcesses);
  EXPECT_GT(few->models[0].metrics[0].processes_needed, 20U);
  EXPECT_THAT(to_text(*few, Language::English),
              AllOf(HasSubstr("fewer than 5 processes"), HasSubstr("processes a side would tell a difference of 1 %")));
}

TEST(Compare, TheTailIsTheHighestThatEveryProcessSupports) {
  const auto tail = [](std::size_t a_runs, std::size_t b_runs) {
    const ComparedModel model = compare_one(of_processes(kSpread, a_runs), of_processes(kSpread, b_runs))->models[0];
    return model.metrics.size() < 2 ? "needs " + std::to_string(model.tail_needs) : model.metrics[1].name;
  };
  EXPECT_EQ(tail(200, 200), "p99");
  EXPECT_EQ(tail(1000, 199), "p95");
  EXPECT_EQ(tail(20, 1000), "p90");
  EXPECT_EQ(tail(19, 1000), "needs 20");
}

TEST(Compare, TheTailOfOneProcessNeedsItsOwnInterval) {
  const auto tail = [](std::size_t runs) {
    Report report = example::synchronous();
    report.samples.end_to_end = report.samples.submit = report.samples.device = example::skewed(runs);
    const ComparedModel model = compare_one(report, report, {0.01, 0.02, false})->models[0];
    return model.metrics.size() < 2 ? "needs " + std::to_string(model.tail_needs) : model.metrics[1].name;
  };
  EXPECT_EQ(tail(30), "needs 36");
  EXPECT_EQ(tail(300).substr(0, 1), "p");
  EXPECT_NE(tail(300), "p99");  // 300 are enough for a p99, not for its interval
}

TEST(Compare, TheTailsOfUnequalRunsAreOfAsManyRuns) {
  // The last 200 of each process are the same: so is their p99, whatever the first runs of B were.
  Report a = of_processes(kSpread, 200), b = of_processes(kSpread, 200);
  std::vector<double> longer;
  for (const auto process : per_process(b)) {
    longer.insert(longer.end(), 100, 9e6);
    longer.insert(longer.end(), process.begin(), process.end());
  }
  b.samples.end_to_end = b.samples.submit = b.samples.device = longer;
  for (ProcessRow& process : b.processes) process.count = 300;
  const auto found = compare_one(a, b);
  EXPECT_EQ(found->models[0].metrics[1].name, "p99");
  EXPECT_EQ(found->models[0].metrics[1].decision.ratio, 1.0);
  EXPECT_GT(found->models[0].metrics[0].decision.ratio, 1.0);
}

TEST(Compare, TurnsArePairedByTheirOwnRatios) {
  Pair pair{"", of_processes({0.8, 1.2, 1.0, 0.9, 1.1}), of_processes({0.8, 1.2, 1.0, 0.9, 1.1}), {0.049, 0.050, 0.051, 0.050, 0.050}};
  const auto found = compare(std::span(&pair, 1), {});
  const auto& metrics = found->models[0].metrics;
  EXPECT_TRUE(found->models[0].turns);
  EXPECT_NEAR(metrics[0].decision.ratio, std::exp(0.05), 1e-9);
  EXPECT_EQ(metrics[0].decision.change, Change::Slower);
  EXPECT_EQ(metrics[1].decision.change, Change::Equivalent);  // of each pair the tails are equal, however much the pairs differ
  EXPECT_THAT(to_text(*found, Language::English), HasSubstr("in turns, in 5 pairs"));
}

TEST(Compare, SeveralModelsAreJudgedTogether) {
  const Report a = of_processes(kSpread, 19), same = of_processes(kSpread, 19);  // no tails
  std::vector<Pair> pairs;
  for (const char* name : {"one", "two", "three"}) pairs.push_back({name, a, same, {}});
  pairs.push_back({"four", a, of_processes(times(1.05, kSpread), 19), {}});
  const auto found = compare(pairs, {});
  EXPECT_NEAR(found->models[3].metrics[0].decision.confidence, 1 - 0.05 / 4, 1e-12);
  EXPECT_NEAR(found->models[0].metrics[0].decision.confidence, 1 - 0.05 / 3, 1e-12);
  EXPECT_EQ(found->models[3].metrics[0].decision.change, Change::Slower);
  EXPECT_THAT(to_text(*found, Language::English), HasSubstr("REGRESSION, B is slower: four median"));
}

TEST(Compare, RefusesWhatCanNotBeCompared) {
  const std::vector<std::pair<const char*, std::function<void(Report&)>>> changes{
      {"different machines: cpu is AMD EPYC 9B14 and Intel", [](Report& report) { report.environment.cpu = "Intel"; }},
      {"different machines: cpus_allowed is 2 and 4", [](Report& report) { report.environment.cpus_allowed = 4; }},
      {"different machines: cpu_limit", [](Report& report) { report.environment.cpu_limit = 1.5; }},
      {"different devices: device is cpu and cuda", [](Report& report) { report.subject.device = "cuda"; }},
      {"different devices: device.name is ? and NVIDIA", [](Report& report) { report.device.name = "NVIDIA"; }},
      {"different work: batch is 1 and 8", [](Report& report) { report.subject.batch = 8; }},
      {"different work: scenario", [](Report& report) { report.subject.scenario = "offline"; }},
      {"different work: inputs is float32 1x3x224x224 and float32 1x3x256x256",
       [](Report& report) {
         report.subject.inputs[0].shape = {1, 3, 256, 256};
       }},
      {"different work: inputs", [](Report& report) { report.subject.inputs[0].dtype = "float16"; }},
      {"different work: outputs",
       [](Report& report) {
         report.subject.outputs[0].shape = {1, 10};
       }},
      {"B was interrupted", [](Report& report) { report.plan.stop = "interrupted"; }},
      {"B failed: wrong answer",
       [](Report& report) {
         report.plan.stop = "failed";
         report.failure = {"wrong_answer", "wrong answer", ""};
       }},
      {"the times of B are wrong: ",
       [](Report& report) {
         report.audit.rules = {{"other-stream", "found", ""}};
       }},
  };
  for (const auto& [says, change] : changes) {
    Report b = of_processes(kSpread);
    change(b);
    const auto refused = compare_one(of_processes(kSpread), b);
    ASSERT_FALSE(refused) << says;
    EXPECT_EQ(refused.error().code, ErrorCode::BadInput);
    EXPECT_THAT(refused.error().message, HasSubstr(says));
    EXPECT_THAT(refused.error().hint, HasSubstr("--force"));

    const auto forced = compare_one(of_processes(kSpread), b, {0.01, std::nullopt, true});
    ASSERT_TRUE(forced) << says;
    ASSERT_EQ(forced->models[0].forced.size(), 1U) << says;
    EXPECT_THAT(to_text(*forced, Language::English).substr(0, 32), HasSubstr("!! compared all the same")) << says;
    EXPECT_THAT(to_markdown(*forced, Language::English), HasSubstr("**compared all the same")) << says;
  }
}

TEST(Compare, EnginesThreadsAndVersionsMayDifferAndAreTold) {
  Report b = of_processes(kSpread);
  b.subject.engine_version = "1.31.0";
  b.subject.threads = 4;
  b.subject.inputs[0].name = "image";
  b.environment.kernel = "6.2";
  const auto found = compare_one(of_processes(kSpread), b);
  ASSERT_TRUE(found);
  EXPECT_THAT(to_text(*found, Language::English),
              AllOf(HasSubstr("engine_version: 1.30.0 → 1.31.0"), HasSubstr("threads: 2 → 4"), HasSubstr("kernel: ? → 6.2")));
}

TEST(Compare, RefusesToCompareNothingEvenByForce) {
  Report empty = example::synchronous();
  for (auto* series : {&empty.samples.end_to_end, &empty.samples.submit, &empty.samples.device}) series->clear();
  const auto none = compare_one(example::synchronous(), empty, {0.01, std::nullopt, true});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("no samples"));
  Report timeless = example::synchronous();
  for (double& time : timeless.samples.end_to_end) time = 0;
  const auto zero = compare_one(example::synchronous(), timeless);
  ASSERT_FALSE(zero);
  EXPECT_THAT(zero.error().message, HasSubstr("0 ns"));
}

TEST(Compare, ATailOfNoughtIsNone) {
  Report b = of_processes(kSpread);
  std::fill_n(b.samples.end_to_end.begin() + 230, 20, 0.0);  // as many as the processes of A have runs
  const auto found = compare_one(of_processes(kSpread, 20), b);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->models[0].metrics.size(), 1U);
  EXPECT_EQ(found->models[0].metrics[0].name, "median");
}

TEST(Compare, WhatIsNearTheClocksStepIsNotCalledEquivalent) {
  Report b = of_processes(kSpread);
  EXPECT_EQ(compare_one(of_processes(kSpread), b, {0.1, std::nullopt, false})->models[0].metrics[0].decision.change,
            stats::Change::Equivalent);
  b.warnings.push_back({"timer_resolution", {}});
  const auto found = compare_one(of_processes(kSpread), b, {0.1, std::nullopt, false});
  EXPECT_EQ(found->models[0].metrics[0].decision.change, stats::Change::Undecided);
  EXPECT_THAT(to_text(*found, Language::English), HasSubstr("near what reading the clock costs"));
}

TEST(Compare, ProcessesWhoseWarmUpIsAmongTheFiguresAreCounted) {
  Report b = of_processes(kSpread);
  b.processes[1].verdict = "warm-up";
  EXPECT_EQ(compare_one(of_processes(kSpread), b)->models[0].b.unsteady, 0U) << "it was moved";
  b.plan.warmup_asked = true;
  EXPECT_EQ(compare_one(of_processes(kSpread), b)->models[0].b.unsteady, 1U);
}

TEST(Compare, ProcessesWithoutASteadyStateAreCounted) {
  Report b = of_processes(kSpread);
  b.processes[1].verdict = b.processes[4].verdict = "no-steady-state";
  EXPECT_THAT(to_text(*compare_one(of_processes(kSpread), b), Language::English), HasSubstr("2 of 6 processes of B had no steady state"));
}

Comparison example_comparison() {
  Comparison comparison = *compare_one(of_processes(kSpread), of_processes(times(1.05, kSpread)));
  comparison.created = "2026-03-01T13:00:00Z";
  comparison.argv = {"lapse", "compare", "a.json", "b.json"};
  comparison.a = "a.json";
  comparison.b = "b.json";
  return comparison;
}

TEST(ComparisonText, IsAlignedFitsAndSaysTheResult) {
  for (const bool unicode : {true, false}) {
    const std::string text = to_text(example_comparison(), Language::English, unicode);
    EXPECT_THAT(text, AllOf(HasSubstr("compare"), HasSubstr("A = a.json"), HasSubstr("B / A"), HasSubstr("slower"),
                            HasSubstr("REGRESSION, B is slower: median, p99")));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), unicode ? 110U : 80U) << line;
  }
  EXPECT_THAT(to_text(example_comparison(), Language::English, false), Not(testing::ContainsRegex("[^\n -~]")));
}

TEST(ComparisonText, SpeaksKorean) {
  const std::string text = to_text(example_comparison(), Language::Korean);
  EXPECT_THAT(text, AllOf(HasSubstr("비교"), HasSubstr("느려짐"), HasSubstr("성능 저하, B가 더 느립니다: 중앙값, p99"),
                          HasSubstr("(97.5 %)"), HasSubstr("신뢰구간"), Not(HasSubstr("slower"))));
}

TEST(ComparisonText, NamesThatComeFromAFileAreHarmless) {
  Comparison comparison = example_comparison();
  comparison.models[0].a.subject.model = "\x1b[31mred|*bold*";
  comparison.only_a = {"\x1b[2Jgone"};
  EXPECT_THAT(to_text(comparison, Language::English), Not(HasSubstr("\x1b")));
  EXPECT_THAT(to_markdown(comparison, Language::English), AllOf(Not(HasSubstr("\x1b")), HasSubstr("\\|\\*bold\\*")));
}

TEST(ComparisonMarkdown, IsATable) {
  const std::string text = to_markdown(example_comparison(), Language::English);
  EXPECT_THAT(
      text, AllOf(HasSubstr("|  | A | B | B / A | interval | verdict |\n|:--|--:|--:|--:|:--|:--|\n| median |"), HasSubstr("REGRESSION")));
}

TEST(ComparisonJson, HasEveryFigure) {
  const auto document = nlohmann::json::parse(to_json_text(example_comparison()));
  EXPECT_EQ(document["schema"], "lapse.comparison/1");
  EXPECT_EQ(document["regression"], true);
  EXPECT_EQ(document["undecided"], false);
  EXPECT_EQ(document["noise"], nullptr);
  const auto& model = document["models"][0];
  EXPECT_EQ(model["a"]["processes"], 6);
  EXPECT_EQ(model["a"]["runs"], 1500);
  const auto& median = model["metrics"][0];
  EXPECT_EQ(median["metric"], "median");
  EXPECT_EQ(median["verdict"], "slower");
  EXPECT_EQ(median["basis"], "processes");
  EXPECT_LT(median["low"].get<double>(), 1.05);
  EXPECT_GT(median["low"].get<double>(), 1.03);
  EXPECT_GT(median["high"].get<double>(), 1.05);
  EXPECT_LT(median["p"].get<double>(), 0.001);
}

TEST(ComparisonJson, WhatIsNotKnownIsNull) {
  Pair pair{"", example::synchronous(), example::synchronous(), {0.1}};
  const auto document = nlohmann::json::parse(to_json_text(*compare(std::span(&pair, 1), {})));
  const auto& median = document["models"][0]["metrics"][0];
  EXPECT_EQ(median["high"], nullptr);
  EXPECT_EQ(median["p"], nullptr);
  EXPECT_EQ(median["verdict"], "undecided");
}

/// With everything that a comparison can have.
std::vector<Comparison> comparisons() {
  Comparison full = example_comparison();
  full.rules.noise = 0.02;
  full.only_a = {"gone"};
  full.interrupted = true;
  full.only_b = {"new", "newer"};
  full.models[0].name = "resnet";
  full.models[0].turns = true;
  full.models[0].differences = {{"engine_version", "1.2", ""}};
  full.models[0].forced = {{"other-work", {{"key", "batch"}, {"a", "1"}, {"b", "8"}}}, {"interrupted", {{"side", "B"}}}};
  full.models[0].b.unsteady = 2;
  full.models[0].metrics[1].processes_needed = 40;
  full.models[0].forced.push_back({"of-a-later-lapse", {}});             // says itself
  Pair pair{"", example::synchronous(), example::synchronous(), {0.1}};  // without an interval
  return {full, *compare(std::span(&pair, 1), {})};
}

TEST(ComparisonJson, IsReadBackAndSaysTheSameInEveryForm) {
  for (const Comparison& comparison : comparisons()) {
    const auto read = comparison_from_json(to_json_text(comparison));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_json_text(*read), to_json_text(comparison));
    EXPECT_EQ(to_text(*read, Language::English), to_text(comparison, Language::English));
    EXPECT_EQ(to_markdown(*read, Language::Korean), to_markdown(comparison, Language::Korean));
  }
}

TEST(ComparisonJson, EveryKeyIsCheckedAndNamed) {
  const auto sound = nlohmann::json::parse(to_json_text(comparisons().front()));
  // Written for others: found again from the rest.
  const std::set<std::string> free{
      "/lapse", "/regression", "/undecided", "/models/0/forced/0/message", "/models/0/forced/1/message", "/models/0/forced/2/message"};
  const auto flat = sound.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    auto document = sound;
    document[nlohmann::json::json_pointer(pointer)] = nlohmann::json::array({nlohmann::json::object()});
    const auto read = comparison_from_json(document.dump());
    ASSERT_EQ(read.has_value(), free.contains(pointer)) << pointer;
    if (!read) {
      EXPECT_THAT(read.error().message, testing::StartsWith("not a comparison of lapse: "));
      EXPECT_THAT(read.error().message, AllOf(HasSubstr(": expected "), Not(HasSubstr("\n")))) << pointer;
    }
  }
  auto document = sound;
  document["models"][0]["metrics"] = nlohmann::json::array();
  EXPECT_THAT(comparison_from_json(document.dump()).error().message, HasSubstr("models[0].metrics: expected one metric at least"));
  document["models"] = nlohmann::json::array();
  EXPECT_THAT(comparison_from_json(document.dump()).error().message, HasSubstr("models: expected one model at least"));
  document["models"] = nlohmann::json::array({sound["models"][0]});
  document["models"][0]["metrics"][0]["verdict"] = "worse";
  EXPECT_THAT(comparison_from_json(document.dump()).error().message,
              HasSubstr("models[0].metrics[0].verdict: expected one of faster, slower, equivalent, undecided"));
}

}  // namespace
}  // namespace lapse::report
