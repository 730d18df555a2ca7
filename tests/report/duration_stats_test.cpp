#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <lapse/report/duration_stats.hpp>
#include <nlohmann/json.hpp>

#include "stats/noise.hpp"

namespace lapse::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Level {
  std::size_t count;
  double ns;
};

/// Each time is its level and up to 2 % more.
DurationStats of(std::initializer_list<Level> levels) {
  stats::Noise noise(1);
  Durations durations;
  for (const Level& level : levels) {
    for (std::size_t i = 0; i < level.count; ++i) durations.ns.push_back(level.ns * (1 + 0.02 * noise.uniform()));
  }
  return examine(std::move(durations), "times.txt");
}

TEST(DurationStats, SummariseTheSteadyPartAfterAWarmUp) {
  const DurationStats stats = of({{60, 8e6}, {940, 5e6}});
  EXPECT_EQ(stats.course.verdict, stats::Course::WarmUp);
  EXPECT_EQ(stats.count, 1000U);
  EXPECT_EQ(stats.discarded, stats.course.steady_from);
  EXPECT_NEAR(static_cast<double>(stats.discarded), 60, 5);
  EXPECT_EQ(stats.duration.count, 1000U - stats.discarded);
  EXPECT_LT(stats.duration.max, 6e6);
  EXPECT_TRUE(std::ranges::is_sorted(stats.sorted));
  EXPECT_TRUE(steady(stats));
}

TEST(DurationStats, SummariseEverythingOfAnyOtherCourse) {
  EXPECT_EQ(of({{940, 5e6}}).course.verdict, stats::Course::Flat);
  EXPECT_TRUE(steady(of({{940, 5e6}})));
  const DurationStats slower = of({{600, 5e6}, {400, 7e6}});
  EXPECT_EQ(slower.course.verdict, stats::Course::Slowdown);
  EXPECT_EQ(slower.discarded, 0U);
  EXPECT_EQ(slower.duration.count, 1000U);
  EXPECT_FALSE(steady(slower));
  EXPECT_FALSE(steady(of({{5, 5e6}})));
  EXPECT_THAT(to_text(slower, Language::English), HasSubstr("! it slowed down"));
  EXPECT_THAT(to_text(slower, Language::Korean), HasSubstr("번째 실행부터 더 느린 수준"));
}

TEST(DurationStats, TellWhereTheyAreFrom) {
  DurationStats stats = of({{100, 5e6}});
  EXPECT_THAT(to_text(stats, Language::English), StartsWith("times.txt · 100 runs\n"));
  stats.series = "b\x1b";
  stats.unit = "ms";
  EXPECT_THAT(to_text(stats, Language::English), HasSubstr("times.txt · b? · 100 runs · numbers without a unit are ms\n"));
  EXPECT_THAT(to_text(stats, Language::Korean), HasSubstr("times.txt · b? · 100회 실행 · 단위 없는 숫자는 ms\n"));
  const std::string ascii = to_text(stats, Language::Korean, false);
  EXPECT_TRUE(std::ranges::all_of(ascii, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) << ascii;
}

TEST(DurationStats, SayWhatTheirIntervalsStandOn) {
  DurationStats stats = of({{940, 5e6}});
  for (const auto& each : stats::kQuantiles) {
    if (auto& estimate = stats.duration.*each.estimate) estimate->effective = 940;
  }
  EXPECT_THAT(to_text(stats, Language::English), HasSubstr("independent   all of them"));
  stats.duration.median->effective = 321.9;
  EXPECT_THAT(to_text(stats, Language::English), HasSubstr("independent   median 321 · p90 940 · "));
  EXPECT_THAT(to_text(of({{5, 5e6}}), Language::English), Not(HasSubstr("independent")));
}

TEST(DurationStats, NameNoMoreLevelsThanALineOrTwo) {
  DurationStats stats = of({{100, 5e6}});
  EXPECT_THAT(to_text(stats, Language::English), Not(HasSubstr("levels")));
  stats.course.segments.assign(9, {0, 10, 5e6});
  EXPECT_THAT(to_text(stats, Language::English), HasSubstr("→ and 4 more\n"));
}

TEST(DurationStats, AreWrittenAsJson) {
  const DurationStats stats = of({{60, 8e6}, {940, 5e6}});
  const auto document = nlohmann::json::parse(to_json_text(stats));
  EXPECT_EQ(document["schema"], "lapse.stats/1");
  EXPECT_EQ(document["source"], "times.txt");
  EXPECT_EQ(document["count"], 1000);
  EXPECT_EQ(document["course"]["verdict"], "warm-up");
  EXPECT_EQ(document["course"]["discarded"], stats.discarded);
  EXPECT_EQ(document["course"]["segments"][1]["first"], stats.course.segments[1].first);
  EXPECT_EQ(document["summary"]["duration"]["median_ns"]["value"], stats.duration.median->value);
  EXPECT_EQ(document["summary"]["duration"]["p999_ns"]["needs"], 3688);
}

}  // namespace
}  // namespace lapse::report
