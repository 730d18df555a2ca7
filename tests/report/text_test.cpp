// The forms for people, against the files of golden/. What they say of a hand-made report is read by eye once and kept.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <lapse/report/messages.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/terminal.hpp>
#include <sstream>
#include <string>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string golden(const std::string& file) {
  std::ifstream stream(std::string(LAPSE_SOURCE_DIR) + "/tests/report/golden/" + file);
  EXPECT_TRUE(stream) << file;
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void expect_to_fit(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80U) << line;
}

TEST(Text, OfABlockingSubject) {
  EXPECT_EQ(to_text(example::synchronous(), Language::English), golden("synchronous.en.txt"));
  EXPECT_EQ(to_text(example::synchronous(), Language::Korean), golden("synchronous.ko.txt"));
}

TEST(Text, OfAnAsynchronousSubjectSaysHowWrongSubmitAloneIs) {
  EXPECT_EQ(to_text(example::asynchronous(), Language::English), golden("asynchronous.en.txt"));
  EXPECT_EQ(to_text(example::asynchronous(), Language::Korean), golden("asynchronous.ko.txt"));
}

TEST(Text, OfAnInterruptedMeasurementIsMarkedAtTheTop) {
  EXPECT_EQ(to_text(example::interrupted(), Language::English), golden("interrupted.en.txt"));
  EXPECT_EQ(to_text(example::interrupted(), Language::Korean), golden("interrupted.ko.txt"));
}

TEST(Text, OfTheOfflineScenarioTellsTheThroughputFirst) {
  EXPECT_EQ(to_text(example::offline(), Language::English), golden("offline.en.txt"));
  EXPECT_EQ(to_text(example::offline(), Language::Korean), golden("offline.ko.txt"));
}

TEST(Text, InAsciiHasNoOtherByte) {
  const std::string text = to_text(example::asynchronous(), Language::Korean, false);
  EXPECT_EQ(text, golden("asynchronous.ascii.txt"));
  EXPECT_EQ(std::count_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7E; }), 0);
}

TEST(Text, FitsIntoEightyColumnsWithEveryWarningAndManyInputs) {
  Report report = example::asynchronous();
  for (const WarningText& row : warning_texts()) report.warnings.push_back({std::string(row.code), {}});
  report.subject.inputs.assign(24, report.subject.inputs.front());
  for (const Language language : {Language::English, Language::Korean}) {
    expect_to_fit(to_text(report, language));
    expect_to_fit(to_text(report, language, false));
  }
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("\n                and 18 more\n"));
}

TEST(Text, OfNothingMeasuredYetStillStands) {
  Report report = example::interrupted();
  report.samples = {};
  example::resummarise(report);
  const std::string text = to_text(report, Language::English);
  EXPECT_THAT(text, HasSubstr("latency (0 runs)"));
  EXPECT_THAT(text, HasSubstr("needs ≥ 6 runs"));
  EXPECT_THAT(text, Not(HasSubstr("mean")));
}

TEST(Text, AHistogramEndsAtTheLargestRunWhereP99IsNotKnown) {
  Report report = example::synchronous();
  for (auto* series : {&report.samples.end_to_end, &report.samples.submit, &report.samples.device}) *series = example::skewed(100);
  example::resummarise(report);
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("(min … max)"));
}

TEST(Text, SpeaksOfNoIntervalWhereThereIsNone) {
  const std::string text = to_text(example::interrupted(), Language::English);
  EXPECT_THAT(text, Not(HasSubstr("95 %")));
  EXPECT_THAT(text, Not(HasSubstr("independent")));
}

TEST(Text, KeepsTheWarningAboutSubmitWhereTheTableDoesNotSayIt) {
  Report report = example::synchronous();
  report.warnings = example::asynchronous().warnings;
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("! the call returns after 50.50 µs"));
  EXPECT_THAT(to_text(example::asynchronous(), Language::English), Not(HasSubstr("the call returns")));
}

TEST(Text, NamesOfAModelCanNotSteerTheTerminal) {
  Report report = example::synchronous();
  report.subject.model = "\x1b]0;owned\x07\nmodel\xff";
  report.warnings.push_back({"new", {{"message", "\x1b[31mred"}, {"hint", "a\nb"}}});
  for (const bool unicode : {true, false}) {
    const std::string text = to_text(report, Language::English, unicode);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, StartsWith("?]0;owned??model"));
    EXPECT_THAT(text, HasSubstr(" a?b\n"));
  }
}

TEST(Markdown, IsTwoTablesAndAListOfWarnings) {
  EXPECT_EQ(to_markdown(example::asynchronous(), Language::English), golden("asynchronous.en.md"));
  EXPECT_EQ(to_markdown(example::interrupted(), Language::Korean), golden("interrupted.ko.md"));
}

TEST(Markdown, NamesCanNotBreakTheTable) {
  Report report = example::synchronous();
  report.subject.model = "a|b<img>*";
  report.subject.inputs.front().name = "x\n| y `z`";
  const std::string text = to_markdown(report, Language::English);
  EXPECT_THAT(text, HasSubstr("**a\\|b\\<img\\>\\*"));
  EXPECT_THAT(text, HasSubstr("| input | x?\\| y \\`z\\` float32"));
}

}  // namespace
}  // namespace lapse::report
