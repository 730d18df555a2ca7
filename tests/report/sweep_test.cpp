#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <lapse/report/sweep.hpp>
#include <lapse/report/terminal.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr double kUnknown = std::numeric_limits<double>::infinity();

stats::Summary summary(double median_ns, double p99_ns) {
  stats::Summary out;
  out.count = 400;
  out.median = stats::Estimate{median_ns, 0.99 * median_ns, 1.01 * median_ns};
  out.p90 = out.p95 = stats::Estimate{1.1 * median_ns, 1.05 * median_ns, 1.2 * median_ns};
  out.p99 = stats::Estimate{p99_ns, 0.9 * p99_ns, 1.1 * p99_ns};
  out.p999 = tl::unexpected(stats::Needs{3688});
  out.min = 0.9 * median_ns;
  out.max = 1.2 * p99_ns;
  out.mean = median_ns;
  out.standard_deviation = 0.1 * median_ns;
  return out;
}

SweepPoint measured(std::int64_t batch, double median_ms, double p99_ms) {
  SweepPoint point;
  point.batch = batch;
  point.threads = 2;
  point.engine = "onnxruntime";
  point.engine_version = "1.30.0";
  point.device = "cpu";
  point.latency = summary(1e6 * median_ms, 1e6 * p99_ms);
  const double per_second = static_cast<double>(batch) * 1e3 / median_ms;
  point.throughput = {per_second, 0.98 * per_second, 1.02 * per_second};
  return point;
}

SweepPoint unmeasured(std::int64_t batch, PointState state, std::string reason) {
  SweepPoint point;
  point.batch = batch;
  point.state = state;
  point.reason = std::move(reason);
  point.throughput = {kUnknown, kUnknown, kUnknown};
  return point;
}

/// Batches 1 to 32: throughput 100, 160, 200, 208, 209 items/s. The knee, by hand: scaled by (10 ms, 100/s) … (153 ms, 209/s) batch 2 is
/// 0.532 above the chord, 4 is 0.846, 8 is 0.790. p99 of batch 4 is 22 ms (19.8 … 24.2), of 8 is 42 ms (37.8 … 46.2).
Sweep of_batches() {
  Sweep sweep;
  sweep.created = "2026-03-01T12:00:00Z";
  sweep.argv = {"lapse", "sweep", "resnet50.onnx", "--batch", "1..64"};
  sweep.model = "resnet50.onnx";
  sweep.environment = example::synchronous().environment;
  sweep.folder = "lapse-sweep-resnet50";
  sweep.points = {
      measured(1, 10, 11),    measured(2, 12.5, 14),
      measured(4, 20, 22),    measured(8, 38.46, 42),
      measured(32, 153, 160), unmeasured(64, PointState::OutOfMemory, "input x: 12.0 GiB are more than the memory that is left")};
  sweep.planned = sweep.points.size();
  return sweep;
}

std::string golden(const std::string& file) {
  std::ifstream stream(std::string(LAPSE_SOURCE_DIR) + "/tests/report/golden/" + file);
  EXPECT_TRUE(stream) << file;
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(SweepPoint, TakesFromAReportWhatItMeasured) {
  const Report report = example::synchronous();
  const SweepPoint point = sweep_point(report);
  EXPECT_EQ(point.state, PointState::Measured);
  EXPECT_EQ(point.engine_version, "1.30.0");
  EXPECT_EQ(point.threads, 2);
  EXPECT_EQ(point.latency.count, 812U);
  EXPECT_EQ(point.latency.median->value, report.summary.end_to_end.median->value);
  EXPECT_THAT(point.warnings, ElementsAre("busy_machine", "governor"));
  EXPECT_FALSE(point.times_wrong);
}

TEST(SweepPoint, ThroughputHasTheIntervalOfTheMeanLatency) {
  Report report = example::synchronous();
  // 40 runs in 20 stretches with means of 4 ms and 6 ms in turn: the mean is known to ± 0.480172 ms.
  report.samples.end_to_end.clear();
  for (int i = 0; i < 10; ++i) report.samples.end_to_end.insert(report.samples.end_to_end.end(), {3e6, 5e6, 7e6, 5e6});
  report.throughput_per_s = 200;
  const stats::Estimate throughput = sweep_point(report).throughput;
  EXPECT_EQ(throughput.value, 200);
  EXPECT_NEAR(throughput.low, 200 * 5 / 5.480172, 1e-4);
  EXPECT_NEAR(throughput.high, 200 * 5 / 4.519828, 1e-4);

  report.samples.end_to_end.resize(19);
  EXPECT_TRUE(std::isinf(sweep_point(report).throughput.high));
}

TEST(SweepPoint, WhoseTimesAreWrongIsMarked) { EXPECT_TRUE(sweep_point(example::wrong()).times_wrong); }

TEST(SweepFindings, AreTheFrontAndTheKnee) {
  const SweepFindings findings = find(of_batches());
  EXPECT_THAT(findings.front, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(findings.knee, 2U);
  EXPECT_THAT(findings.verdicts, IsEmpty());
}

TEST(SweepFindings, NothingFollowsFromWrongTimesAndFromWhatWasNotMeasured) {
  Sweep sweep = of_batches();
  sweep.points[2].times_wrong = true;
  sweep.slo = Slo{"p99", 30e6};
  const SweepFindings findings = find(sweep);
  EXPECT_THAT(findings.front, ElementsAre(0, 1, 3, 4));
  EXPECT_EQ(findings.verdicts[2], stats::Verdict::Undecided);
  EXPECT_EQ(findings.best, 1U);
}

TEST(SweepFindings, TellTheLargestBatchWithinALimit) {
  Sweep sweep = of_batches();
  sweep.slo = Slo{"p99", 43e6};
  const SweepFindings findings = find(sweep);
  using enum stats::Verdict;
  EXPECT_THAT(findings.verdicts, ElementsAre(Within, Within, Within, Undecided, Over, Undecided));
  EXPECT_EQ(findings.best, 2U);
}

TEST(SweepFindings, APointThatIsTooSlowForTheMedianNeedsNoPercentile) {
  Sweep sweep = of_batches();
  sweep.slo = Slo{"p99.9", 100e6};
  const SweepFindings findings = find(sweep);
  EXPECT_EQ(findings.verdicts[0], stats::Verdict::Undecided);
  EXPECT_EQ(findings.verdicts[4], stats::Verdict::Over);
  EXPECT_EQ(findings.best, std::nullopt);
}

TEST(SweepText, IsThatOfTheGoldenFiles) {
  Sweep sweep = of_batches();
  sweep.slo = Slo{"p99", 43e6};
  sweep.reused = 2;
  EXPECT_EQ(to_text(sweep, Language::English), golden("sweep.en.txt"));
  EXPECT_EQ(to_text(sweep, Language::Korean), golden("sweep.ko.txt"));
}

TEST(SweepText, WithEveryAxisFitsAHundredColumns) {
  Sweep sweep = of_batches();
  for (const char* device : {"cpu", "cuda:0"}) {
    for (const std::int64_t in_flight : {1, 16}) {
      SweepPoint point = measured(1'000, 999.9, 1234.5);
      point.device = device;
      point.in_flight = in_flight;
      point.threads = 16;
      point.engine = "torch";
      point.throughput = {1'234'567, 1'200'000, 1'300'000};
      point.warnings = {"busy_machine"};
      sweep.points.push_back(point);
    }
  }
  for (const Language language : {Language::English, Language::Korean}) {
    int rows = 0;
    for (const std::string& line : lines_of(to_text(sweep, language))) {
      EXPECT_LE(display_width(line), 100U) << line;
      if (line.find("1,234,567 ± 5.3 %") == line.npos) continue;
      ++rows;
      EXPECT_THAT(line, testing::EndsWith("!")) << "a row is one line";
    }
    EXPECT_EQ(rows, 4);
  }
  const std::string text = to_text(sweep, Language::English);
  EXPECT_THAT(text, AllOf(HasSubstr("threads"), HasSubstr("in flight"), HasSubstr("engine"), HasSubstr("device")));
  EXPECT_THAT(text, Not(HasSubstr("± 10 %"))) << "the percentile's interval is what such a table leaves out";
}

TEST(SweepText, OfOneAxisFitsEightyColumnsAndShowsEveryInterval) {
  const std::string text = to_text(of_batches(), Language::English);
  for (const std::string& line : lines_of(text)) EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_THAT(text, HasSubstr("160.0 ms ± 10 %"));
  EXPECT_THAT(text, Not(HasSubstr("threads  ")));
}

TEST(SweepText, KeepsItsColumnsInAscii) {
  const std::string text = to_text(of_batches(), Language::Korean, false);
  EXPECT_THAT(text, testing::Each(AllOf(testing::Ge(0), testing::Le(127))));
  const auto lines = lines_of(text);
  const auto heading = std::ranges::find_if(lines, [](const std::string& line) { return line.find("median") != line.npos; });
  ASSERT_NE(heading, lines.end());
  const std::size_t median = heading->find("median");
  for (const char* value : {"10.00 ms", "12.50 ms", "153.0 ms"}) {
    const auto row = std::ranges::find_if(lines, [&](const std::string& line) { return line.find(value) == median; });
    EXPECT_NE(row, lines.end()) << value << '\n' << text;
  }
}

TEST(SweepText, SaysWhenItIsNotComplete) {
  Sweep sweep = of_batches();
  sweep.planned = 10;
  EXPECT_THAT(to_text(sweep, Language::English), testing::StartsWith("!! INTERRUPTED: 6 of 10 points"));
  sweep.points.clear();
  EXPECT_THAT(to_text(sweep, Language::English), HasSubstr("INTERRUPTED: 0 of 10 points"));
}

TEST(SweepText, NamesFailuresWithTheirReasonAndWarningsWithTheirPoints) {
  Sweep sweep = of_batches();
  sweep.points[0].warnings = {"steal"};
  sweep.points[3].warnings = {"steal", "drift"};
  sweep.points.push_back(unmeasured(128, PointState::Failed, "crashed: signal 11 (Segmentation fault)"));
  const std::string text = to_text(sweep, Language::English);
  EXPECT_THAT(text, HasSubstr("batch 128: crashed: signal 11 (Segmentation fault)"));
  EXPECT_THAT(text, HasSubstr("batch 1, 8: steal"));
  EXPECT_THAT(text, HasSubstr("batch 8: drift"));
}

TEST(SweepText, SaysWhenPointsDoNotCompare) {
  Sweep sweep = of_batches();
  sweep.points[1].engine_version = "1.31.0";
  EXPECT_THAT(to_text(sweep, Language::English), HasSubstr("onnxruntime was not the same for all points (1.30.0, 1.31.0)"));
}

TEST(SweepText, WhatStandsInAFileDoesNotReachTheTerminal) {
  Sweep sweep = of_batches();
  sweep.model = "evil\x1b[2J";
  sweep.points[5].state = PointState::Failed;
  sweep.points[5].reason = "\x1b[31mred\nsecond line";
  EXPECT_THAT(to_text(sweep, Language::English), Not(testing::Contains('\x1b')));
}

TEST(SweepJson, IsReadBackAsItWas) {
  Sweep sweep = of_batches();
  sweep.slo = Slo{"p99.9", 40e6};
  sweep.reused = 1;
  sweep.points[0].warnings = {"steal"};
  sweep.points[1].times_wrong = true;
  sweep.points[2].throughput.low = sweep.points[2].throughput.high = kUnknown;
  const std::string text = to_json_text(sweep);
  const auto read = sweep_from_json(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json_text(*read), text);
  EXPECT_EQ(to_text(*read, Language::Korean), to_text(sweep, Language::Korean));
  EXPECT_EQ(to_csv(*read), to_csv(sweep));
}

TEST(SweepJson, HasTheKeysThatOthersRelyOn) {
  Sweep sweep = of_batches();
  sweep.slo = Slo{"p99", 43e6};
  const auto document = to_json(sweep);
  EXPECT_EQ(document["schema"], "lapse.sweep/1");
  EXPECT_EQ(document["knee"], 2);
  EXPECT_EQ(document["slo"]["quantile"], "p99");
  EXPECT_EQ(document["slo"]["limit_ns"], 43'000'000);
  EXPECT_EQ(document["slo"]["best"], 2);
  EXPECT_EQ(document["slo"]["within"], nlohmann::ordered_json::array({0, 1, 2}));
  EXPECT_EQ(document["slo"]["undecided"], nlohmann::ordered_json::array({3}));
  EXPECT_EQ(document["slo"]["over"], nlohmann::ordered_json::array({4}));
  const auto& point = document["points"][2];
  EXPECT_EQ(point["batch"], 4);
  EXPECT_EQ(point["threads"], 2);
  EXPECT_EQ(point["inflight"], 1);
  EXPECT_EQ(point["engine"], "onnxruntime");
  EXPECT_EQ(point["device"], "cpu");
  EXPECT_EQ(point["state"], "measured");
  EXPECT_EQ(point["pareto"], true);
  EXPECT_EQ(point["throughput"]["value"], 200);
  EXPECT_EQ(point["latency"]["median_ns"]["value"], 20'000'000);
  EXPECT_EQ(document["points"][5]["state"], "out-of-memory");
  EXPECT_EQ(document["points"][5]["reason"], "input x: 12.0 GiB are more than the memory that is left");
}

void expect_in(const std::string& documentation, const nlohmann::ordered_json& value) {
  for (const auto& item : value.items()) {
    if (value.is_object()) {
      EXPECT_THAT(documentation, testing::ContainsRegex("[`.\"]" + item.key() + "[`\"]"));
    }
    if (item.value().is_structured()) expect_in(documentation, item.value());
  }
}

TEST(SweepJson, EveryKeyIsDocumented) {
  std::ifstream stream(std::string(LAPSE_SOURCE_DIR) + "/docs/json.md");
  const std::string documentation{std::istreambuf_iterator<char>(stream), {}};
  Sweep sweep = of_batches();
  sweep.slo = Slo{"p99", 43e6};
  expect_in(documentation, to_json(sweep));
}

TEST(SweepJson, RefusesWhatIsNone) {
  for (const char* text : {"", "[]", "{}", R"({"schema": "lapse.result/1"})", R"({"schema": "lapse.sweep/1"})"}) {
    const auto read = sweep_from_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::BadInput);
    EXPECT_THAT(read.error().message, testing::StartsWith("not a sweep of lapse: "));
  }
  // Each key in turn is of another type.
  const auto whole = to_json(of_batches());
  for (const auto& item : whole.items()) {
    if (item.key() == "knee" || item.key() == "lapse") continue;  // computed again, or for people
    auto damaged = nlohmann::ordered_json(whole);
    damaged[item.key()] = 1.5;
    EXPECT_FALSE(sweep_from_json(damaged.dump())) << item.key();
  }
}

TEST(SweepCsv, IsARowAPoint) {
  Sweep sweep = of_batches();
  sweep.slo = Slo{"p99", 43e6};
  sweep.points.erase(sweep.points.begin() + 3, sweep.points.end() - 1);
  sweep.points[0].engine = "a,\"b\"";
  const auto lines = lines_of(to_csv(sweep));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[0], testing::StartsWith("batch,threads,in_flight,engine,device,state,runs,throughput_per_s,"));
  EXPECT_EQ(lines[1],
            "1,2,1,\"a,\"\"b\"\"\",cpu,measured,400,100,98,102,10000000,9900000,10100000,11000000,10500000,12000000,11000000,10500000,"
            "12000000,11000000,9900000,12100000,,,,1,0,within");
  EXPECT_EQ(lines[4], "64,0,1,,,out-of-memory,,,,,,,,,,,,,,,,,,,,0,0,");
  const auto columns = std::ranges::count(lines[0], ',');
  for (std::size_t i = 2; i < lines.size(); ++i) EXPECT_EQ(std::ranges::count(lines[i], ','), columns) << lines[i];
}

}  // namespace
}  // namespace lapse::report
