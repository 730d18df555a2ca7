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

using testing::AllOf;
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

/// Every rule with each verdict and each reason.
AuditRow every_rule() {
  AuditRow audit;
  for (const char* rule : {"pending-on-return", "other-stream", "side-stream", "launch-gaps", "outputs-on-device", "clocks"}) {
    for (const char* verdict : {"clean", "found"}) audit.rules.push_back({rule, verdict, ""});
    for (const char* reason : {"no-time", "self-synchronising", "under-load", "no-reading", "other-stream"}) {
      audit.rules.push_back({rule, "not-examined", reason});
    }
  }
  return audit;
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

TEST(Text, OfADeviceWithStagesTellsWhatIsTimedAndWhatTheAuditFound) {
  EXPECT_EQ(to_text(example::staged(), Language::English), golden("staged.en.txt"));
  EXPECT_EQ(to_text(example::staged(), Language::Korean), golden("staged.ko.txt"));
}

TEST(Text, OfTimesThatAreWrongSaysSoBeforeAnyNumber) {
  EXPECT_EQ(to_text(example::wrong(), Language::English), golden("wrong.en.txt"));
  EXPECT_EQ(to_text(example::wrong(), Language::Korean), golden("wrong.ko.txt"));
}

TEST(Text, OfAFailedMeasurementIsMarkedAtTheTopAndTellsWhy) {
  EXPECT_EQ(to_text(example::failed(), Language::English), golden("failed.en.txt"));
  EXPECT_EQ(to_text(example::failed(), Language::Korean), golden("failed.ko.txt"));
}

TEST(Text, DrawsNoConclusionFromWrongTimes) {
  for (const char* rule : {"pending-on-return", "other-stream", "side-stream"}) {
    Report report = example::staged();
    EXPECT_THAT(to_text(report, Language::English), AllOf(HasSubstr("without synchronising"), HasSubstr("device-bound")));
    report.audit.rules.push_back({rule, "found", ""});
    EXPECT_THAT(to_text(report, Language::English),
                AllOf(StartsWith("!! these times are wrong: "), Not(HasSubstr("without synchronising")), Not(HasSubstr("device-bound"))))
        << rule;
    report.audit.rules.back().verdict = "not-examined";
    EXPECT_THAT(to_text(report, Language::English), Not(HasSubstr("wrong"))) << rule;
  }
}

TEST(Text, SaysWhenNobodyAuditedADevice) {
  EXPECT_THAT(to_text(example::asynchronous(), Language::English), HasSubstr("\n  audit         not made\n"));
  EXPECT_THAT(to_text(example::synchronous(), Language::English), Not(HasSubstr("audit")));
}

TEST(Text, TheFactorIsThatOfACallOnAnIdleDevice) {
  Report report = example::asynchronous();
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("51.66 µs: 98× too small"));
  report.audit.idle_submit_ns = 100e3;
  report.audit.idle_end_to_end_ns = 5e6;
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("100.0 µs: 50× too small"));
  report.audit.idle_submit_ns = 4.9e6;
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("4.900 ms: this call waits for"));
  report.audit.idle_submit_ns = 0;
  EXPECT_THAT(to_text(report, Language::English), Not(HasSubstr("without synchronising")));
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
  report.audit = every_rule();
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
  EXPECT_EQ(to_markdown(example::staged(), Language::Korean), golden("staged.ko.md"));
  EXPECT_EQ(to_markdown(example::wrong(), Language::English), golden("wrong.en.md"));
}

TEST(Markdown, NamesCanNotBreakTheTable) {
  Report report = example::synchronous();
  report.subject.model = "a|b<img>*";
  report.subject.inputs.front().name = "x\n| y `z`";
  const std::string text = to_markdown(report, Language::English);
  EXPECT_THAT(text, HasSubstr("**a\\|b\\<img\\>\\*"));
  EXPECT_THAT(text, HasSubstr("| input | x?\\| y \\`z\\` float32"));
}

TEST(Text, NoSteadyStateIsSaidBeforeAnyNumber) {
  Report report = example::synchronous();
  report.plan.warmup_verdict = "no-steady-state";
  EXPECT_THAT(to_text(report, Language::English), StartsWith("!! NO STEADY STATE: "));
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("discarded, then NO STEADY STATE"));
  EXPECT_THAT(to_text(report, Language::Korean), StartsWith("!! 정상 상태 없음: "));
}

TEST(Text, WarmUpSaysWhatItCostAndThatAskedOnesWereNotEnough) {
  Report report = example::synchronous();
  report.plan.warmup_verdict = "warm-up";
  report.plan.warmup_cost_ns = 2e6;
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("20 runs discarded, then steady; they cost 2.000 ms more"));
  report.plan.warmup_asked = true;
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("20 runs discarded as asked, and warm-up went on"));
}

}  // namespace
}  // namespace lapse::report
