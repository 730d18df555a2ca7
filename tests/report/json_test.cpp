#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <lapse/report/messages.hpp>
#include <lapse/report/render.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> keys(const nlohmann::ordered_json& object) {
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return names;
}

TEST(Json, HasTheKeysThatOthersRelyOn) {
  const auto document = to_json(example::synchronous());
  EXPECT_THAT(keys(document), ElementsAre("schema", "created", "argv", "interrupted", "failure", "subject", "environment", "device", "cold",
                                          "warmup", "processes", "plan", "answer", "memory", "summary", "disturbed", "audit",
                                          "throughput_per_s", "warnings", "samples"));
  EXPECT_EQ(document["schema"], "lapse.result/1");
  EXPECT_THAT(keys(document["subject"]),
              ElementsAre("model", "engine", "engine_version", "engine_library", "device", "threads", "batch", "asynchronous", "transfers",
                          "graph", "cold_cache", "streams", "scenario", "in_flight", "input_sets", "inputs", "outputs"));
  EXPECT_THAT(keys(document["subject"]["inputs"][0]), ElementsAre("name", "dtype", "shape", "source"));
  EXPECT_THAT(keys(document["cold"]), ElementsAre("load_ns", "first_ns"));
  EXPECT_THAT(keys(document["warmup"]), ElementsAre("discarded", "asked", "verdict", "cost_ns", "cycle_runs", "segments"));
  EXPECT_THAT(keys(document["plan"]), ElementsAre("precision", "reached", "budget_ns", "stop", "cheapest"));
  EXPECT_THAT(keys(document["samples"]), ElementsAre("count", "end_to_end_ns", "submit_ns", "device_ns"));
  EXPECT_THAT(keys(document["summary"]), ElementsAre("end_to_end", "submit", "device"));
  for (const char* series : {"end_to_end", "submit", "device"}) {
    const auto& summary = document["summary"][series];
    EXPECT_THAT(keys(summary),
                ElementsAre("median_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "min_ns", "max_ns", "mean_ns", "standard_deviation_ns"));
    EXPECT_THAT(keys(summary["median_ns"]), ElementsAre("value", "low", "high", "effective"));
    EXPECT_EQ(summary["p999_ns"], json({{"needs", 3688}}));
  }
  EXPECT_THAT(keys(document["warnings"][0]), ElementsAre("code", "message", "hint", "facts"));
}

TEST(Json, HasTheKeysOfADeviceWithStages) {
  const auto document = to_json(example::failed());
  EXPECT_THAT(keys(document["device"]), ElementsAre("name", "driver", "runtime", "memory_bytes"));
  EXPECT_THAT(keys(document["memory"]), ElementsAre("peak_bytes", "whole_process", "device_peak_bytes"));
  EXPECT_THAT(keys(document["audit"]),
              ElementsAre("rules", "spent_ns", "idle_submit_ns", "idle_end_to_end_ns", "backlog_device_ns", "empty_pair_ns", "bound"));
  EXPECT_THAT(keys(document["audit"]["rules"][0]), ElementsAre("rule", "verdict", "reason"));
  EXPECT_THAT(keys(document["failure"]), ElementsAre("code", "message", "hint"));
  EXPECT_EQ(document["warmup"]["samples"].dump(), R"({"end_to_end_ns":[9000000,6000000,5600000]})");
  EXPECT_THAT(keys(document["samples"]), ElementsAre("count", "end_to_end_ns", "submit_ns", "device_ns", "h2d_ns", "d2h_ns", "start_ns"));
  EXPECT_THAT(keys(document["summary"]), ElementsAre("end_to_end", "submit", "device", "h2d", "d2h"));
}

TEST(Json, KeepsTheCodesOfTheAudit) {
  const auto document = to_json(example::wrong());
  EXPECT_EQ(document["audit"]["rules"][2].dump(), R"({"rule":"side-stream","verdict":"found","reason":""})");
  EXPECT_EQ(document["audit"]["rules"][3].dump(), R"({"rule":"launch-gaps","verdict":"not-examined","reason":"no-time"})");
}

void expect_in(const std::string& documentation, const json& value) {
  for (const auto& item : value.items()) {
    if (value.is_object()) {
      EXPECT_THAT(documentation, testing::ContainsRegex("[`.\"]" + item.key() + "[`\"]")) << "docs/json.md does not tell of " << item.key();
    }
    if (item.key() != "facts" && item.value().is_structured()) expect_in(documentation, item.value());
  }
}

TEST(Json, EveryKeyIsInTheDocumentation) {
  std::ifstream file(LAPSE_SOURCE_DIR "/docs/json.md");
  const std::string documentation{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  expect_in(documentation, to_json(example::synchronous()));
  expect_in(documentation, to_json(example::failed()));
  expect_in(documentation, to_json(example::disturbed()));
  expect_in(documentation, to_json(example::idle()));
}

TEST(Json, SamplesAreWholeNanoseconds) {
  Report report = example::interrupted();
  report.samples.end_to_end[0] = 5000000.4;
  const auto document = to_json(report);
  EXPECT_EQ(document["samples"]["count"], 4);
  EXPECT_EQ(document["samples"]["end_to_end_ns"].dump(), "[5000000,6000000,5500000,7000000]");
}

TEST(Json, WarningsAreInEnglish) {
  const auto warning = to_json(example::synchronous())["warnings"][1];
  EXPECT_EQ(warning["message"], "the CPU governor is 'powersave': the clock follows the load");
  EXPECT_EQ(warning["facts"]["governor"], "powersave");
}

TEST(Json, WhatIsNotFiniteIsNull) {
  Report report = example::interrupted();
  report.throughput_per_s = std::numeric_limits<double>::infinity();
  report.answer.largest_difference = std::numeric_limits<double>::quiet_NaN();
  const auto document = to_json(report);
  EXPECT_TRUE(document["plan"]["reached"].is_null());
  EXPECT_TRUE(document["throughput_per_s"].is_null());
  EXPECT_TRUE(document["answer"]["largest_difference"].is_null());
  const auto again = from_json(to_json_text(report));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(std::isinf(again->plan.reached));
}

TEST(Json, SaysPlainlyWhetherItWasInterrupted) {
  EXPECT_EQ(to_json(example::interrupted())["interrupted"], true);
  EXPECT_EQ(to_json(example::synchronous())["interrupted"], false);
}

TEST(JsonText, KeepsASeriesOnOneLineAndIndentsTheRestByTwo) {
  const std::string text = to_json_text(example::interrupted());
  EXPECT_THAT(text, HasSubstr("{\n  \"schema\": \"lapse.result/1\",\n"));
  EXPECT_THAT(text, HasSubstr("\n    \"submit_ns\": [5000000,6000000,5500000,7000000],\n"));
  EXPECT_THAT(text, HasSubstr("\n      \"median_ns\": {\"needs\":6},\n"));
  EXPECT_THAT(text, HasSubstr("\n  }\n}\n"));
  EXPECT_EQ(json::parse(text), json(to_json(example::interrupted())));
}

TEST(JsonText, ReplacesBytesThatAreNotUtf8) {
  Report report = example::synchronous();
  report.argv = {"lapse", "\xff.onnx"};
  EXPECT_EQ(json::parse(to_json_text(report))["argv"][1], "\uFFFD.onnx");
}

class RoundTrip : public testing::TestWithParam<Report (*)()> {};

TEST_P(RoundTrip, ReadsBackWhatItWrote) {
  Report report = GetParam()();
  report.environment.memory_limit = std::uint64_t{1} << 40U;
  const std::string text = to_json_text(report);
  const auto again = from_json(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json_text(*again), text);
  EXPECT_EQ(to_text(*again, Language::Korean), to_text(report, Language::Korean));
  EXPECT_EQ(again->samples.device, report.samples.device);
  EXPECT_EQ(again->environment.memory_limit, report.environment.memory_limit);
}

TEST(RoundTripOfADevice, LosesNoFieldThatOnlyADeviceHas) {
  const Report report = example::failed();
  const auto again = from_json(to_json_text(report));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->subject.transfers, "pinned");
  EXPECT_TRUE(again->subject.graph);
  EXPECT_TRUE(again->subject.cold_cache);
  EXPECT_EQ(from_json(to_json_text(example::wrong()))->subject.streams, 2);
  EXPECT_EQ(again->device.name, report.device.name);
  EXPECT_EQ(again->device.driver, report.device.driver);
  EXPECT_EQ(again->device.runtime, report.device.runtime);
  EXPECT_EQ(again->device.memory, report.device.memory);
  EXPECT_EQ(again->memory.device_peak, report.memory.device_peak);
  EXPECT_EQ(again->samples.h2d, report.samples.h2d);
  EXPECT_EQ(again->samples.d2h, report.samples.d2h);
  EXPECT_EQ(again->samples.start, report.samples.start);
  EXPECT_EQ(again->samples.warmup, report.samples.warmup);
  EXPECT_EQ(again->summary.h2d.mean, report.summary.h2d.mean);
  EXPECT_EQ(again->summary.d2h.mean, report.summary.d2h.mean);
  EXPECT_EQ(again->audit.rules.size(), 6U);
  EXPECT_EQ(again->audit.spent_ns, 40e6);
  EXPECT_EQ(again->audit.idle_submit_ns, 51e3);
  EXPECT_EQ(again->audit.idle_end_to_end_ns, 5.6e6);
  EXPECT_EQ(again->audit.empty_pair_ns, 1.5e3);
  EXPECT_EQ(again->audit.backlog_device_ns, 2.5e6);
  EXPECT_EQ(from_json(to_json_text(example::staged()))->audit.bound, "device");
  ASSERT_TRUE(again->failure);
  EXPECT_EQ(again->failure->code, report.failure->code);
  EXPECT_EQ(again->failure->message, report.failure->message);
  EXPECT_EQ(again->failure->hint, report.failure->hint);
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, RoundTrip,
                         testing::Values(&example::synchronous, &example::asynchronous, &example::interrupted, &example::offline,
                                         &example::staged, &example::wrong, &example::failed));

TEST(SchemaOf, IsWhatTheDocumentItselfNames) {
  EXPECT_EQ(schema_of(to_json_text(example::failed())), "lapse.result/1");
  EXPECT_EQ(schema_of(R"({"a": {"schema": "inner"}, "b": ["schema", "listed"], "schema": "outer", "c": 1})"), "outer");
  for (const char* text : {"", "null", "[]", R"(["schema", "x"])", R"({"schema": 7})", R"({"schema": {"schema": "x"}})",
                           R"({"schema": "x")", "{\"schema\": \"\xff\"}"})
    EXPECT_EQ(schema_of(text), "") << text;
  EXPECT_EQ(schema_of(R"({"schema": "x", "deep": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}"), "x");
}

TEST(FromJson, ComputesTheSummaryFromTheSamples) {
  auto document = to_json(example::synchronous());
  document["summary"]["end_to_end"]["median_ns"]["value"] = 1;
  document.erase("interrupted");
  const auto report = from_json(document.dump());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->summary.end_to_end.median->value, example::synchronous().summary.end_to_end.median->value);
}

TEST(FromJson, ReadsAFileOfALapseThatKnewNoDevices) {
  Report report = example::asynchronous();
  auto document = to_json(report);
  for (const char* key : {"device", "audit", "failure"}) document.erase(key);
  for (const char* key : {"transfers", "graph", "cold_cache", "streams"}) document["subject"].erase(key);
  document["memory"].erase("device_peak_bytes");
  // It warned of what is said under the table now.
  document["warnings"].push_back(
      {{"code", "submit_is_not_latency"}, {"message", "too small"}, {"hint", "quote"}, {"facts", json::object()}});
  const auto again = from_json(document.dump());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_text(*again, Language::Korean), to_text(report, Language::Korean));
}

TEST(FromJson, IgnoresKeysThatItDoesNotKnow) {
  auto document = to_json(example::synchronous());
  document["subject"]["colour"] = {1, {{"deep", nullptr}}};
  EXPECT_TRUE(from_json(document.dump()));
}

TEST(FromJson, KeepsTheMessageOfAWarningThatItDoesNotKnow) {
  auto document = to_json(example::synchronous());
  document["warnings"][0] = {{"code", "from_the_future"}, {"message", "the moon is full"}, {"hint", "--wait"}, {"facts", json::object()}};
  const auto report = from_json(document.dump());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(to_text(*report, Language::Korean), HasSubstr("  ! the moon is full\n    → --wait\n"));
  EXPECT_EQ(to_json(*report)["warnings"][0]["message"], "the moon is full");
}

}  // namespace
}  // namespace lapse::report
