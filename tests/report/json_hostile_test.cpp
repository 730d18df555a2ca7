// Files that lapse did not write: every complaint is one line that names the key, and nothing crashes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <lapse/report/render.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string error_of(const std::string& text) {
  const auto report = from_json(text);
  if (report) return "no error";
  EXPECT_EQ(report.error().code, ErrorCode::BadInput);
  EXPECT_THAT(report.error().message, Not(HasSubstr("\n")));
  return report.error().message;
}

/// What is said of a sound document in which one value is another.
std::string error_with(const char* pointer, const json& value) {
  json document = to_json(example::interrupted());
  document[json::json_pointer(pointer)] = value;
  return error_of(document.dump());
}

TEST(HostileJson, WhatIsNotJsonIsNamedWithItsPlace) {
  EXPECT_EQ(error_of(""), "not a result of lapse: not JSON at line 1, column 1");
  EXPECT_EQ(error_of("{\n  \"a\": nul\n}"), "not a result of lapse: not JSON at line 2, column 11");
  EXPECT_THAT(error_of("\x7f\x45\x4c\x46"), HasSubstr("not JSON at line 1"));
  EXPECT_THAT(error_of("{\"schema\": \"\xff\"}"), HasSubstr("not JSON at line 1"));
  EXPECT_THAT(error_of("{\"schema\": \"\\ud800\"}"), HasSubstr("not JSON at line 1"));
}

TEST(HostileJson, ATruncatedFileIsNoResult) {
  const std::string text = to_json_text(example::interrupted());
  for (std::size_t size = 0; size + 2 < text.size(); size += 7) EXPECT_THAT(error_of(text.substr(0, size)), HasSubstr("not JSON at"));
}

TEST(HostileJson, AnotherDocumentIsNoResult) {
  EXPECT_THAT(error_of("[]"), EndsWith("the document: expected an object"));
  EXPECT_THAT(error_of("{}"), EndsWith("schema: missing"));
  EXPECT_THAT(error_of("null"), EndsWith("the document: expected an object"));
  EXPECT_THAT(error_with("/schema", "lapse.result/2"), EndsWith("schema: expected lapse.result/1"));
}

TEST(HostileJson, DeepNestingIsReadAndThrownAwayWithoutRecursion) {
  constexpr std::size_t kDepth = 1'000'000;
  EXPECT_THAT(error_of(std::string(kDepth, '[')), HasSubstr("not JSON"));
  EXPECT_THAT(error_of(std::string(kDepth, '[') + std::string(kDepth, ']')), EndsWith("expected an object"));
  std::string objects;
  for (std::size_t i = 0; i < kDepth; ++i) objects += "{\"a\":";
  EXPECT_THAT(error_of(objects + "0" + std::string(kDepth, '}')), EndsWith("schema: missing"));
}

TEST(HostileJson, ANumberThatNoDoubleHoldsIsOutOfRange) {
  EXPECT_THAT(error_of("{\"throughput_per_s\": 1e999}"), EndsWith("a number is out of range"));
}

TEST(HostileJson, SamplesAreChecked) {
  EXPECT_THAT(error_with("/samples/submit_ns", "fast"), EndsWith("samples.submit_ns: expected an array of numbers"));
  EXPECT_THAT(error_with("/samples/submit_ns/2", "fast"), EndsWith("samples.submit_ns: expected an array of numbers"));
  EXPECT_THAT(error_with("/samples/device_ns/0", -1), EndsWith("samples.device_ns: expected an array of nanoseconds, each 0 or more"));
  EXPECT_THAT(error_with("/samples/device_ns/0", 1e300), EndsWith("samples.device_ns: expected an array of nanoseconds, each 0 or more"));
  EXPECT_THAT(error_with("/samples/device_ns/4", 1), HasSubstr("different lengths"));
  EXPECT_THAT(error_with("/samples/count", 3), HasSubstr("different lengths"));
  EXPECT_THAT(error_with("/samples/count", 4.0), EndsWith("samples.count: expected a whole number"));
}

TEST(HostileJson, NumbersStayInTheirRange) {
  EXPECT_THAT(error_with("/subject/threads", 1e10), EndsWith("subject.threads: expected a whole number"));
  EXPECT_THAT(error_with("/subject/threads", 10'000'000'000), EndsWith("subject.threads: expected a whole number in 0 … 2147483647"));
  EXPECT_THAT(error_with("/subject/batch", -1), HasSubstr("subject.batch: expected a whole number in 0"));
  EXPECT_THAT(error_with("/subject/batch", 18'446'744'073'709'551'615ULL), HasSubstr("subject.batch: expected a whole number in 0"));
  EXPECT_THAT(error_with("/cold/load_ns", -5), EndsWith("cold.load_ns: expected nanoseconds, 0 or more"));
  EXPECT_THAT(error_with("/plan/precision", "1%"), EndsWith("plan.precision: expected a number"));
}

/// The same of a document with everything that a device adds.
std::string device_error_with(const char* pointer, const json& value) {
  json document = to_json(example::failed());
  document[json::json_pointer(pointer)] = value;
  return error_of(document.dump());
}

TEST(HostileJson, WhatADeviceAddsIsCheckedToo) {
  EXPECT_THAT(device_error_with("/samples/h2d_ns/4", 1), EndsWith("samples: end_to_end_ns and h2d_ns are of different lengths"));
  EXPECT_THAT(device_error_with("/samples/start_ns", json::array()),
              EndsWith("samples: end_to_end_ns and start_ns are of different lengths"));
  EXPECT_THAT(device_error_with("/samples/d2h_ns/0", -1), EndsWith("samples.d2h_ns: expected an array of nanoseconds, each 0 or more"));
  EXPECT_THAT(device_error_with("/audit/rules/1/verdict", "guilty"),
              EndsWith("audit.rules[1].verdict: expected one of clean, found, not-examined"));
  EXPECT_THAT(device_error_with("/audit/rules", "all"), EndsWith("audit.rules: expected an array"));
  EXPECT_THAT(device_error_with("/audit/bound", "memory"), HasSubstr("audit.bound: expected one of "));
  EXPECT_THAT(device_error_with("/audit/empty_pair_ns", -1), EndsWith("audit.empty_pair_ns: expected nanoseconds, 0 or more"));
  EXPECT_THAT(device_error_with("/device/memory_bytes", -1), HasSubstr("device.memory_bytes: expected a whole number in 0"));
  EXPECT_THAT(device_error_with("/subject/streams", -1), HasSubstr("subject.streams: expected a whole number in 0"));
  EXPECT_THAT(device_error_with("/subject/graph", "yes"), EndsWith("subject.graph: expected true or false"));
  EXPECT_THAT(device_error_with("/failure", "lost"), EndsWith("failure: expected an object"));
}

TEST(HostileJson, RunsAfterPausesHaveTheStagesOfTheOthers) {
  Report report = example::idle();
  report.samples.h2d = report.samples.d2h = report.samples.submit;
  for (IdleRow& row : report.idle) row.samples.h2d = row.samples.d2h = row.samples.submit;
  json document = to_json(report);
  EXPECT_EQ(error_of(document.dump()), "no error");
  document["idle"][1]["samples"].erase("h2d_ns");
  EXPECT_THAT(error_of(document.dump()), HasSubstr("idle[1].samples: expected the stages that the other samples have"));
}

TEST(HostileJson, WordsAreThoseOfTheSchema) {
  EXPECT_THAT(error_with("/plan/stop", "bored"),
              EndsWith("plan.stop: expected one of precision, budget, max-runs, processes, interrupted, failed"));
  EXPECT_THAT(error_with("/warmup/verdict", 7),
              EndsWith("warmup.verdict: expected one of flat, warm-up, slowdown, no-steady-state, too-short, settled, not-settled, fixed"));
  EXPECT_THAT(error_with("/subject/scenario", "server"), EndsWith("subject.scenario: expected one of single-stream, offline"));
  EXPECT_THAT(error_with("/answer/verdict", ""), EndsWith("answer.verdict: expected one of unchecked, correct, random"));
}

TEST(HostileJson, WhatStandsInAListIsNamedByItsIndex) {
  EXPECT_THAT(error_with("/subject/inputs/0/shape/1", "wide"), EndsWith("subject.inputs[0].shape[1]: expected a whole number"));
  EXPECT_THAT(error_with("/argv/2", nullptr), EndsWith("argv[2]: expected a string"));
  EXPECT_THAT(error_with("/warnings", {{{"code", "steal"}, {"message", ""}, {"hint", ""}, {"facts", {{"percent", 3}}}}}),
              EndsWith("warnings[0].facts: expected an object of strings"));
}

/// Every place in the document, from the root down, and whether from_json wants it to be there.
void walk(const json& value, const std::string& path, std::vector<std::string>& places) {
  if (!value.is_structured()) return;
  for (const auto& item : value.items()) {
    const std::string place = path + '/' + item.key();
    places.push_back(place);
    walk(item.value(), place, places);
  }
}

std::vector<std::string> places_in(const json& document) {
  std::vector<std::string> places;
  walk(document, "", places);
  return places;
}

/// What files of lapse's first days lack.
bool optional(const std::string& place) {
  constexpr std::array kLater{"/device",         "/audit",          "/failure",          "/subject/transfers", "/memory/device_peak_bytes",
                              "/samples/h2d_ns", "/samples/d2h_ns", "/samples/start_ns", "/warmup/samples",    "/processes",
                              "/warmup/asked",   "/warmup/segments"};
  return std::ranges::find(kLater, place) != kLater.end() || place.ends_with("/source") || place.find("/facts/") != std::string::npos;
}

TEST(HostileJson, EveryKeyThatIsNotDerivedMustBeThere) {
  const json sound = to_json(example::failed());
  for (const std::string& place : places_in(sound)) {
    const auto last = place.rfind('/');
    const std::string key = place.substr(last + 1);
    const bool derived =
        place.starts_with("/summary") || place.starts_with("/disturbed") || place == "/interrupted" || place == "/plan/cheapest";
    json document = sound;
    json& parent = document[json::json_pointer(place.substr(0, last))];
    if (derived || parent.is_array()) continue;
    parent.erase(key);
    EXPECT_THAT(error_of(document.dump()), EndsWith(optional(place) ? "no error" : key + ": missing")) << place;
  }
}

TEST(HostileJson, NoValueInAnyPlaceCrashesAnyForm) {
  const json sound = to_json(example::failed());
  const std::vector<json> values{
      nullptr,       true,           -1,           0, 9'000'000'000'000'000'000, 1e300, -1e-300, "", "\u001b[31m한\u202e",
      json::array(), json::object(), {1, {2, {3}}}};
  for (const std::string& place : places_in(sound)) {
    for (const json& value : values) {
      json document = sound;
      document[json::json_pointer(place)] = value;
      const auto report = from_json(document.dump());
      if (!report) continue;
      EXPECT_TRUE(from_json(to_json_text(*report))) << place << " = " << value;
      EXPECT_THAT(to_text(*report, Language::Korean) + to_markdown(*report, Language::English), Not(HasSubstr("\x1b"))) << place;
      to_csv(*report);
    }
  }
}

}  // namespace
}  // namespace lapse::report
