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
  for (const char* code : {"precision_not_reached",
                           "max_runs_reached",
                           "few_runs",
                           "warmup_too_short",
                           "slowdown",
                           "no_steady_state",
                           "cycle",
                           "slow_tail",
                           "steal",
                           "busy_machine",
                           "throttled",
                           "governor",
                           "threads_exceed_cpus",
                           "dynamic_dimension",
                           "integer_fill",
                           "random_model",
                           "non_finite_output",
                           "timer_resolution",
                           "memory_whole_process",
                           "pending_on_return",
                           "other_stream",
                           "side_stream",
                           "launch_gaps",
                           "outputs_on_device",
                           "clock_fell",
                           "clock_held_down",
                           "debug_build"}) {
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

TEST(Warnings, GapsAreToBeClosedByAGraphOnlyWhereThereIsNone) {
  measuring::Warning warning{"launch_gaps", {{"percent", "20 %"}, {"device", "5 ms"}, {"work", "4 ms"}}};
  EXPECT_EQ(say(warning, Language::English).hint, "compare kernels by 4 ms; to close the gaps: a larger --batch");
  warning.facts["close"] = "--cuda-graph";
  EXPECT_EQ(say(warning, Language::English).hint, "compare kernels by 4 ms; to close the gaps: --cuda-graph, or a larger --batch");
}

TEST(Warnings, OutputsOnTheDeviceAreToBeTimedOnlyByWhoLeftThemThere) {
  measuring::Warning warning{"outputs_on_device", {{"fetch", "1 ms"}, {"end_to_end", "5 ms"}, {"percent", "20 %"}}};
  EXPECT_EQ(say(warning, Language::English).hint, "add it to what a user waits for");
  warning.facts["instead"] = "pinned";
  EXPECT_EQ(say(warning, Language::English).hint, "add it to what a user waits for, or measure it: --transfers pinned");
}

TEST(Rules, EachHasItsWordsInBothLanguages) {
  for (const char* rule : {"pending-on-return", "other-stream", "side-stream", "launch-gaps", "outputs-on-device", "clocks"}) {
    const RuleWords english = rule_words(rule, Language::English), korean = rule_words(rule, Language::Korean);
    for (const auto word : {&RuleWords::clean, &RuleWords::found, &RuleWords::topic}) {
      EXPECT_FALSE((english.*word).empty()) << rule;
      EXPECT_NE(english.*word, rule) << rule;
      EXPECT_NE(english.*word, korean.*word) << rule;
    }
    EXPECT_NE(english.clean, english.found) << rule;
    EXPECT_EQ(english.wrong.empty(), korean.wrong.empty()) << rule;
  }
}

TEST(Rules, ThreeOfThemMakeTheTimesWrong) {
  for (const char* rule : {"pending-on-return", "other-stream", "side-stream"})
    EXPECT_NE(rule_words(rule, Language::English).wrong, "") << rule;
  for (const char* rule : {"launch-gaps", "outputs-on-device", "clocks"}) EXPECT_EQ(rule_words(rule, Language::English).wrong, "") << rule;
}

TEST(Rules, ReasonsHaveWordsToo) {
  for (const char* reason : {"no-time", "self-synchronising", "under-load", "blocking", "asynchronous", "no-reading", "other-stream"}) {
    EXPECT_NE(reason_words(reason, Language::English), reason);
    EXPECT_NE(reason_words(reason, Language::Korean), reason_words(reason, Language::English));
  }
}

TEST(Rules, CodesOfALaterLapseSayThemselves) {
  EXPECT_EQ(rule_words("moon-phase", Language::Korean).clean, "moon-phase");
  EXPECT_EQ(rule_words("moon-phase", Language::Korean).found, "moon-phase");
  EXPECT_EQ(rule_words("moon-phase", Language::Korean).topic, "moon-phase");
  EXPECT_EQ(rule_words("moon-phase", Language::Korean).wrong, "");
  EXPECT_EQ(reason_words("cloudy", Language::Korean), "cloudy");
}

TEST(Warnings, AnUnknownCodeSaysWhatWasSavedWithIt) {
  const measuring::Warning saved{"from_the_future", {{"message", "the moon is full"}, {"hint", "--wait"}}};
  EXPECT_EQ(say(saved, Language::Korean).message, "the moon is full");
  EXPECT_EQ(say(saved, Language::Korean).hint, "--wait");
  EXPECT_EQ(say(measuring::Warning{"from_the_future", {}}, Language::English).message, "from_the_future");
}

}  // namespace
}  // namespace lapse::report
