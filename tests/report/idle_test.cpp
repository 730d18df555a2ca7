#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/idle.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/terminal.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(IdleTable, HasARowForEachPauseWithItsRatioToTheFirst) {
  const Table table = idle_table(example::idle(), Language::English);
  EXPECT_EQ(table.heading, "latency after a pause (40 runs after each, at least)");
  EXPECT_THAT(table.head, ElementsAre("pause", "median", "95 % interval", "p90", "ratio", "clock"));
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_THAT(table.rows[0], ElementsAre("0", StartsWith("5.1"), testing::_, testing::_, "1×", "1980 MHz"));
  EXPECT_EQ(table.rows[1][0], "1 ms");
  EXPECT_THAT(table.rows[2], ElementsAre("10 ms", StartsWith("7.1"), testing::_, testing::_, StartsWith("1.39"), "990 MHz"));
}

TEST(IdleTable, HasNoColumnsForWhatIsNotKnown) {
  Report report = example::idle();
  report.subject.asynchronous = false;
  for (IdleRow& row : report.idle) row.mhz = 0;
  EXPECT_EQ(idle_table(report, Language::English).head.size(), 5u);
}

TEST(IdleTable, APauseWithTooFewBlocksSaysWhatItNeeds) {
  Report report = example::idle();
  IdleRow& first = report.idle.front();
  first.samples = {{1e6, 2e6}, {1e6, 2e6}, {1e6, 2e6}};
  first.samples.blocks = {2};
  first.summary = summarise_blocks(first.samples);
  const Table table = idle_table(report, Language::English);
  EXPECT_EQ(table.rows[0][1], "≥ 4 runs");
  EXPECT_EQ(table.rows[2][4], "?");
  EXPECT_FALSE(ratio_to_first(report, report.idle[2]));
}

/// Runs of three a block, all at `level`; in the second half of the rounds everything takes twice as long.
IdleRow drifting(double level, std::size_t rounds) {
  IdleRow row;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (int run = 0; run < 3; ++run) {
      for (auto* series : {&row.samples.end_to_end, &row.samples.submit, &row.samples.device})
        series->push_back(round < rounds / 2 ? level : 2 * level);
    }
    row.samples.blocks.push_back(3);
  }
  row.summary = summarise_blocks(row.samples);
  return row;
}

TEST(IdleTable, WhatDriftsFromRoundToRoundIsInTheMedianAndNotInTheRatio) {
  Report report = example::idle();
  report.idle = {drifting(1e6, 10), drifting(1.5e6, 10)};
  const auto ratio = ratio_to_first(report, report.idle[1]);
  ASSERT_TRUE(ratio);
  EXPECT_NEAR(ratio->value, 1.5, 1e-9);
  EXPECT_LT(ratio->relative_error(), 1e-9);
  const auto& median = report.idle[0].summary.end_to_end.median;
  ASSERT_TRUE(median);
  EXPECT_NEAR(median->value, 1.5e6, 1);
  // The standard error of ten values, half 1 and half 2 ms, is 0.1667 ms; t(9) is 2.262.
  EXPECT_NEAR(median->high - median->value, 2.262 * 0.16667e6, 0.001e6);
}

TEST(IdleTable, StandsInEveryForm) {
  const Report report = example::idle();
  const std::string text = to_text(report, Language::English);
  EXPECT_THAT(text, HasSubstr("\n  latency after a pause (40 runs after each, at least)\n    pause  median"));
  EXPECT_THAT(text, HasSubstr("\n    10 ms  7.1"));
  std::istringstream lines(to_text(report, Language::Korean));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80u) << line;
  EXPECT_THAT(to_text(report, Language::Korean), HasSubstr("쉬었다가 실행할 때의 지연 시간"));
  EXPECT_THAT(to_markdown(report, Language::English), HasSubstr("\n| 10 ms | 7.1"));
  EXPECT_THAT(to_text(example::asynchronous(), Language::English), Not(HasSubstr("pause")));
}

TEST(IdleTable, ComesBackFromAFile) {
  const Report report = example::idle();
  const std::string text = to_json_text(report);
  const auto document = nlohmann::json::parse(text);
  ASSERT_EQ(document["idle"].size(), 3u);
  EXPECT_EQ(document["idle"][1]["gap_ns"], 1'000'000);
  EXPECT_EQ(document["idle"][1]["slept_ns"], 1'060'000);
  EXPECT_EQ(document["idle"][2]["clock_mhz"], 990);
  EXPECT_NEAR(document["idle"][2]["ratio"]["value"].get<double>(), 1.391, 0.01);
  EXPECT_EQ(document["idle"][2]["samples"]["count"], 40);
  EXPECT_EQ(document["idle"][2]["samples"]["blocks"].dump(), "[4,4,4,4,4,4,4,4,4,4]");
  const auto again = from_json(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json_text(*again), text);
  EXPECT_EQ(to_text(*again, Language::English), to_text(report, Language::English));
}

TEST(IdleTable, BlocksThatAreNotTheRunsAreRefused) {
  auto document = nlohmann::json::parse(to_json_text(example::idle()));
  for (const char* blocks : {"[]", "[39]", "[40, 1]", "[0, 40]", "[9223372036854775807]", "[-1]", "null"}) {
    document["idle"][2]["samples"]["blocks"] = nlohmann::json::parse(blocks);
    const auto read = from_json(document.dump());
    ASSERT_FALSE(read) << blocks;
    EXPECT_THAT(read.error().message, HasSubstr("idle[2].samples"));
  }
}

}  // namespace
}  // namespace lapse::report
