#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/report/messages.hpp>
#include <set>
#include <string>

namespace lapse::report {
namespace {

std::set<std::string> facts_in(std::string_view pattern) {
  std::set<std::string> names;
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    names.emplace(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  }
  return names;
}

TEST(Expand, PutsFactsIn) { EXPECT_EQ(expand("{a} of {b}", {{"a", "1"}, {"b", "2"}}), "1 of 2"); }

TEST(Expand, AMissingFactIsAQuestionMark) { EXPECT_EQ(expand("{a} of {b}", {{"a", "1"}}), "1 of ?"); }

TEST(Expand, ABracketDisappearsWithItsFact) {
  EXPECT_EQ(expand("x[ ({a})] y", {{"a", "1"}}), "x (1) y");
  EXPECT_EQ(expand("x[ ({a})] y", {}), "x y");
}

TEST(Expand, ABracketGivesWayToWhatStandsBehindItsBar) {
  EXPECT_EQ(expand("[known to {a}|unknown]", {{"a", "1"}}), "known to 1");
  EXPECT_EQ(expand("[known to {a}|unknown]", {}), "unknown");
}

TEST(Expand, FactsAreNotPatterns) { EXPECT_EQ(expand("{a}[ {b}]", {{"a", "[{b}]"}, {"b", "{a}"}}), "[{b}] {a}"); }

TEST(Expand, DamagedPatternsStayAsTheyAre) {
  EXPECT_EQ(expand("{a", {}), "{a");
  EXPECT_EQ(expand("}[a", {}), "}[a");
}

TEST(Warnings, EveryCodeThatLapseWarnsWithHasItsText) {
  for (const char* code :
       {"precision_not_reached", "max_runs_reached", "few_runs", "warmup_not_settled", "drift", "submit_is_not_latency", "slow_tail",
        "steal", "busy_machine", "throttled", "governor", "threads_exceed_cpus", "dynamic_dimension", "integer_fill", "random_model",
        "non_finite_output", "timer_resolution", "memory_whole_process", "debug_build"}) {
    EXPECT_TRUE(known({code, {}})) << code;
  }
}

TEST(Warnings, BothLanguagesUseTheSameFacts) {
  for (const WarningText& row : warning_texts()) {
    EXPECT_EQ(facts_in(row.message), facts_in(row.korean_message)) << row.code;
    EXPECT_EQ(facts_in(row.hint), facts_in(row.korean_hint)) << row.code;
  }
}

TEST(Warnings, EveryTextIsThereAndSaysItInItsLanguage) {
  for (const WarningText& row : warning_texts()) {
    for (const Language language : {Language::English, Language::Korean}) {
      const Message text = say(measuring::Warning{std::string(row.code), {}}, language);
      EXPECT_FALSE(text.message.empty()) << row.code;
      EXPECT_FALSE(text.hint.empty()) << row.code;
      EXPECT_THAT(text.message + text.hint, testing::Not(testing::ContainsRegex("[][{}|]"))) << row.code;
    }
    EXPECT_NE(row.message, row.korean_message) << row.code;
  }
}

TEST(Warnings, TheHintFollowsTheFacts) {
  const measuring::Warning warning{"precision_not_reached",
                                 {{"reached", "2.3 %"}, {"asked", "1 %"}, {"budget", "30 s"}, {"runs", "812"}, {"suggest", "159s"}}};
  EXPECT_EQ(say(warning, Language::English).message,
            "the median is known to ± 2.3 % only, not to ± 1 %: the budget of 30 s was spent after 812 runs");
  EXPECT_EQ(say(warning, Language::English).hint, "give it more time: --budget 159s");
  EXPECT_EQ(say(measuring::Warning{"precision_not_reached", {}}, Language::English).message,
            "the median is not known to the precision asked for");
  EXPECT_EQ(say(measuring::Warning{"precision_not_reached", {}}, Language::English).hint, "give it more time: --budget");
}

TEST(Warnings, AnUnknownCodeSaysWhatWasSavedWithIt) {
  const measuring::Warning saved{"from_the_future", {{"message", "the moon is full"}, {"hint", "--wait"}}};
  EXPECT_EQ(say(saved, Language::Korean).message, "the moon is full");
  EXPECT_EQ(say(saved, Language::Korean).hint, "--wait");
  EXPECT_EQ(say(measuring::Warning{"from_the_future", {}}, Language::English).message, "from_the_future");
}

}  // namespace
}  // namespace lapse::report
