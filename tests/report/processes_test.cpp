#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/processes.hpp>
#include <lapse/report/render.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A report of one process with these times, in milliseconds.
Report process(const std::vector<double>& milliseconds) {
  Report report = example::synchronous();
  report.samples = {};
  for (const double time : milliseconds) {
    report.samples.end_to_end.push_back(1e6 * time);
    report.samples.start.push_back(1e7 * static_cast<double>(report.samples.start.size()));
  }
  report.samples.submit = report.samples.device = report.samples.end_to_end;
  example::resummarise(report);
  return report;
}

Report process_of(double milliseconds, std::size_t runs) { return process(std::vector<double>(runs, milliseconds)); }

/// Five processes whose medians are 3, 4, 5, 6 and 7 ms.
Report five(std::size_t runs = 40) {
  std::vector<Report> parts;
  for (int i = 3; i <= 7; ++i) parts.push_back(process_of(i, runs));
  return join(std::move(parts));
}

TEST(Processes, TheirEstimateIsTheMeanOfTheirMediansWithStudentsInterval) {
  const Report report = five();
  const auto& median = report.summary.end_to_end.median;
  ASSERT_TRUE(median);
  EXPECT_DOUBLE_EQ(median->value, 5e6);
  EXPECT_NEAR(median->low, 5e6 - 1.963243e6, 10.0);  // t(4) · √(2.5 / 5) = 1.963243
  EXPECT_NEAR(median->high, 5e6 + 1.963243e6, 10.0);
  EXPECT_NEAR(report.plan.reached, 0.3926486, 1e-6);
  EXPECT_EQ(report.summary.end_to_end.count, 200u);
  EXPECT_EQ(report.summary.end_to_end.max, 7e6);
}

TEST(Processes, APercentileNeedsRunsBeyondItInEachProcess) {
  const Report report = five(40);
  EXPECT_TRUE(report.summary.end_to_end.p90);
  EXPECT_TRUE(report.summary.end_to_end.p95);
  ASSERT_FALSE(report.summary.end_to_end.p99);
  EXPECT_EQ(report.summary.end_to_end.p99.error().runs, 200u);
  EXPECT_EQ(report.summary.end_to_end.p999.error().runs, 2000u);
  std::vector<Report> parts{process_of(5, 400), process_of(5, 19)};
  EXPECT_EQ(join(std::move(parts)).summary.end_to_end.p90.error().runs, 20u);
}

TEST(Processes, OfOneTheEstimatesAreItsOwn) {
  const Report one = process_of(5, 40);
  const SummaryRow summary = summarise(one.samples, one.processes);
  EXPECT_EQ(summary.end_to_end.median->value, one.summary.end_to_end.median->value);
  EXPECT_EQ(summary.end_to_end.p90->high, one.summary.end_to_end.p90->high);
}

TEST(Processes, JoinedTheirRunsStandOneBehindTheOther) {
  Report first = process({1, 2}), second = process({3, 4, 5});
  first.plan.discarded = 7;
  second.plan.discarded = 9;
  second.plan.warmup_verdict = "no-steady-state";
  second.load_ns = first.load_ns + 2e6;
  second.samples.tags = {{1, 2, 4}};
  first.warnings = {{"steal", {{"percent", "3 %"}}}, {"precision_not_reached", {}}};
  second.warnings = {{"steal", {{"percent", "4 %"}}}, {"governor", {{"governor", "powersave"}}}};
  const Report report = join({first, second});
  EXPECT_THAT(report.samples.end_to_end, ElementsAre(1e6, 2e6, 3e6, 4e6, 5e6));
  EXPECT_THAT(report.samples.start, ElementsAre(0, 1e7, 0, 1e7, 2e7));
  ASSERT_EQ(report.samples.tags.size(), 1u);
  EXPECT_EQ(report.samples.tags[0].first, 3u);
  ASSERT_EQ(report.processes.size(), 2u);
  EXPECT_EQ(report.processes[1].count, 3);
  EXPECT_EQ(report.processes[1].discarded, 9);
  EXPECT_EQ(report.processes[1].verdict, "no-steady-state");
  EXPECT_EQ(report.plan.discarded, 16);
  EXPECT_EQ(report.plan.warmup_verdict, "no-steady-state");
  EXPECT_EQ(report.load_ns, first.load_ns + 1e6);
  std::vector<std::string> codes;
  for (const auto& warning : report.warnings) codes.push_back(warning.code);
  EXPECT_THAT(codes, ElementsAre("steal", "governor"));
}

TEST(Processes, WhatOneOfThemFoundWasFound) {
  Report clean = process({1, 2}), found = process({1, 2});
  clean.audit.rules = {{"other-stream", "clean", ""}, {"clocks", "not-examined", "no-time"}};
  found.audit.rules = {{"other-stream", "found", ""}, {"clocks", "clean", ""}};
  for (const Report& report : {join({clean, found}), join({found, clean})}) {
    EXPECT_EQ(report.audit.rules[0].verdict, "found");
    EXPECT_EQ(report.audit.rules[1].verdict, "clean");
  }
}

TEST(Processes, BlocksBelongToTheirProcess) {
  Report first = process({1, 2, 3}), second = process({4, 6, 10, 20, 30});
  first.samples.blocks = {1, 2};
  second.samples.blocks = {2, 3};
  EXPECT_THAT(block_medians(join({first, second})), ElementsAre(ElementsAre(1e6, 2.5e6), ElementsAre(5e6, 20e6)));
  EXPECT_THAT(block_medians(second), ElementsAre(ElementsAre(5e6, 20e6)));
  EXPECT_TRUE(block_medians(process({1, 2, 3})).empty());
}

TEST(Processes, WithoutDisturbedRunsEachProcessHasItsOwnLeft) {
  Report first = process({1, 1, 50}), second = process({3, 50, 3});
  first.samples.tags = {{2, 1, 4}};
  second.samples.tags = {{1, 1, 4}};
  const Report report = join({first, second});
  EXPECT_EQ(report.summary.undisturbed.count, 4u);
  EXPECT_EQ(report.summary.undisturbed.median->value, 2e6);
}

TEST(Processes, AreReadBackAsTheyWereWritten) {
  Report written = join({process({1, 2, 3}), process({4, 5})});
  written.samples.blocks = {1, 2, 2};
  written.plan.stop = "processes";
  const auto document = to_json(written);
  EXPECT_EQ(document["processes"][1]["median_ns"], 4500000);
  EXPECT_EQ(document["processes"][1]["count"], 2);
  const auto read = from_json(to_json_text(written));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->processes.size(), 2u);
  EXPECT_EQ(read->processes[0].count, 3);
  EXPECT_EQ(read->processes[0].load_ns, written.processes[0].load_ns);
  EXPECT_EQ(read->samples.blocks, written.samples.blocks);
  EXPECT_EQ(read->summary.end_to_end.median->value, written.summary.end_to_end.median->value);
  EXPECT_EQ(to_json_text(*read), to_json_text(written));
}

TEST(Processes, CountsThatDoNotAddUpAreRefused) {
  const Report report = join({process({1, 2, 3}), process({4, 5})});
  const auto error_with = [&report](const char* place, const nlohmann::json& value) {
    auto document = nlohmann::json::parse(to_json_text(report));
    document[nlohmann::json::json_pointer(place)] = value;
    const auto read = from_json(document.dump());
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(error_with("/samples/blocks", {1, 2, 2}), "");
  EXPECT_THAT(error_with("/samples/blocks", {2, 2, 1}), HasSubstr("samples.blocks")) << "a block of both processes";
  EXPECT_THAT(error_with("/samples/blocks", {3, 2, 1}), HasSubstr("samples.blocks"));
  EXPECT_THAT(error_with("/samples/blocks", {3}), HasSubstr("samples.blocks"));
  EXPECT_THAT(error_with("/samples/blocks", {3, 0, 2}), HasSubstr("samples.blocks[1]"));
  EXPECT_THAT(error_with("/samples/blocks", nlohmann::json::array()), HasSubstr("samples.blocks"));
  for (const std::int64_t count : {0, 1, 3, 1'000'000'000}) {
    EXPECT_THAT(error_with("/processes/1/count", count), HasSubstr("processes: their counts")) << count;
  }
}

TEST(Processes, NoValueInAnyPlaceCrashesAnyForm) {
  using json = nlohmann::json;
  Report report = join({process({1, 2, 3, 4, 5, 6, 7}), process({4, 5, 6, 7, 8, 9})});
  report.samples.blocks = {3, 4, 6};
  const json sound = json::parse(to_json_text(report));
  const std::vector<json> values{nullptr, true, -1, 0, 9'000'000'000'000'000'000, 1e300, 1e-300, "", json::array(), json::object(), {1, 2}};
  for (const char* place : {"/processes", "/processes/1", "/processes/0/count", "/processes/1/discarded", "/processes/1/verdict",
                            "/processes/0/load_ns", "/processes/1/first_ns", "/samples/blocks", "/samples/blocks/1",
                            "/samples/end_to_end_ns/3", "/plan/precision", "/warmup/discarded", "/cold/load_ns"}) {
    for (const json& value : values) {
      json document = sound;
      document[json::json_pointer(place)] = value;
      const auto read = from_json(document.dump());
      if (!read) continue;
      EXPECT_TRUE(from_json(to_json_text(*read))) << place << " = " << value;
      EXPECT_FALSE(to_text(*read, Language::Korean).empty());
      block_medians(*read);
    }
  }
}

TEST(Processes, TheTextTellsThemAndWhatItWouldTake) {
  std::vector<Report> parts;
  for (const double level : {5.00, 5.05, 4.95, 5.02, 4.98}) {
    std::vector<double> times;
    for (int i = 0; i < 100; ++i) times.push_back(level + 0.001 * (i % 10));
    parts.push_back(process(times));
  }
  Report report = join(std::move(parts));
  report.plan.precision = 0.005;
  report.plan.stop = "processes";
  const std::string english = to_text(report, Language::English), korean = to_text(report, Language::Korean);
  EXPECT_THAT(english, HasSubstr("processes     5 fresh ones, 100 runs each: medians 4.955 … 5.054 ms"));
  EXPECT_THAT(english, HasSubstr("for ± 0.5 % on this machine: "));
  EXPECT_THAT(english, HasSubstr("all processes are done; the median is within ± 0.9"));
  EXPECT_THAT(korean, HasSubstr("새 프로세스 5개, 각각 100회 실행"));
  EXPECT_THAT(korean, HasSubstr("이 컴퓨터에서 ± 0.5 %까지 재려면"));
  const auto plan = cheapest_plan(report);
  ASSERT_TRUE(plan);
  EXPECT_GE(plan->processes, 10u);  // s = 0.78 %: t(n - 1) · s / √n ≤ 0.5 %
  EXPECT_LE(plan->processes, 14u);
  EXPECT_EQ(to_json(report)["plan"]["cheapest"]["processes"], plan->processes);
  EXPECT_THAT(to_text(process_of(5, 40), Language::English), Not(HasSubstr("fresh ones")));
  EXPECT_TRUE(to_json(process_of(5, 40))["plan"]["cheapest"].is_null());
}

}  // namespace
}  // namespace lapse::report
