#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/disturbed.hpp>
#include <lapse/report/render.hpp>
#include <nlohmann/json.hpp>

#include "report/example.hpp"

namespace lapse::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Disturbed, WithoutTheTaggedRunsTheOthersAreLeftInOrder) {
  Series samples{{1, 2, 3, 4, 5, 6}, {}, {}};
  EXPECT_THAT(undisturbed(samples), ElementsAre(1, 2, 3, 4, 5, 6));
  samples.tags = {{0, 1, 1}, {2, 1, 2}, {3, 1, 4}, {5, 1, 8}};
  EXPECT_THAT(undisturbed(samples), ElementsAre(2, 5));
  samples.tags = {{0, 6, 1}};
  EXPECT_THAT(undisturbed(samples), ElementsAre());
}

TEST(Disturbed, BothEstimatesStandSideBySideAndNoOtherFigureChanges) {
  const Report report = example::disturbed();
  ASSERT_EQ(report.summary.end_to_end.count, 812u);
  ASSERT_EQ(report.summary.undisturbed.count, 812u - 90u);
  const std::string english = to_text(report, Language::English);
  EXPECT_THAT(english, HasSubstr("latency (812 runs)"));
  EXPECT_THAT(english, HasSubstr("disturbed     90 of 812 runs (steal 54, preempted 90)"));
  EXPECT_THAT(english, HasSubstr("p99 9.000 ms with them, "));
  EXPECT_EQ(report.summary.end_to_end.p99->value, 9e6);
  EXPECT_LT(report.summary.undisturbed.p99->value, 6e6);
  EXPECT_THAT(to_text(report, Language::Korean), HasSubstr("812회 실행 중 90회 (스틸 54, 선점 90)"));
  EXPECT_THAT(to_markdown(report, Language::English), HasSubstr("| disturbed | 90 of 812 runs"));
}

TEST(Disturbed, AReportWithoutTagsSaysNothing) {
  EXPECT_THAT(to_text(example::synchronous(), Language::English), Not(HasSubstr("disturbed")));
}

TEST(Disturbed, WhereTooFewOrNoneAreLeftThatIsSaid) {
  Report report = example::disturbed();
  report.samples.tags = {{0, 512, 2}};
  example::resummarise(report);
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("p99 9.000 ms with them; without them it needs ≥ "));
  report.samples.tags = {{0, 812, 2}};
  example::resummarise(report);
  EXPECT_THAT(to_text(report, Language::English), HasSubstr("no run was undisturbed"));
}

TEST(Disturbed, TagsAndBothEstimatesComeBackFromAFile) {
  const Report report = example::disturbed();
  const std::string text = to_json_text(report);
  const auto document = nlohmann::json::parse(text);
  EXPECT_EQ(document["disturbed"]["count"], 90);
  EXPECT_EQ(document["disturbed"]["reasons"].dump(), R"({"clock":0,"preempted":90,"quota":0,"steal":54})");
  EXPECT_EQ(document["disturbed"]["without"]["median_ns"]["value"], report.summary.undisturbed.median->value);
  EXPECT_EQ(document["samples"]["tags"][0].dump(), R"({"count":6,"first":0,"reasons":["steal","preempted"]})");
  const auto again = from_json(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->samples.tags, report.samples.tags);
  EXPECT_EQ(to_text(*again, Language::English), to_text(report, Language::English));
  EXPECT_EQ(to_json_text(example::synchronous()).find("\"tags\""), std::string::npos);
}

TEST(Disturbed, TagsThatAreNoRunsOfTheFileAreRefused) {
  auto document = nlohmann::json::parse(to_json_text(example::disturbed()));
  for (const char* tags :
       {R"([{"first": 810, "count": 3, "reasons": ["steal"]}])", R"([{"first": 4, "count": 0, "reasons": []}])",
        R"([{"first": 9, "count": 2, "reasons": []}, {"first": 10, "count": 1, "reasons": []}])",
        R"([{"first": 9223372036854775807, "count": 9223372036854775807, "reasons": []}])", R"([{"count": 2, "reasons": []}])"}) {
    document["samples"]["tags"] = nlohmann::json::parse(tags);
    const auto read = from_json(document.dump());
    ASSERT_FALSE(read) << tags;
    EXPECT_THAT(read.error().message, HasSubstr("samples.tags"));
  }
  document["samples"]["tags"] = nlohmann::json::parse(R"([{"first": 3, "count": 1, "reasons": ["of-a-later-lapse", "steal"]}])");
  const auto read = from_json(document.dump());
  ASSERT_TRUE(read);
  EXPECT_THAT(read->samples.tags, ElementsAre(measuring::Tag{3, 1, 1}));
}

}  // namespace
}  // namespace lapse::report
