#include <fmt/format.h>

#include <cmath>
#include <lapse/report/duration_stats.hpp>
#include <lapse/report/quantity.hpp>
#include <lapse/report/text_page.hpp>

namespace lapse::report {
namespace {

constexpr std::size_t kLevelsShown = 5;

constexpr Phrase kUnit{"numbers without a unit are {unit}", "단위 없는 숫자는 {unit}"};
constexpr Phrase kSlowdown{"it slowed down, and these figures hold both what was before and what came after",
                           "도중에 느려졌고, 이 값에는 느려지기 전과 뒤가 모두 들어 있습니다"};
constexpr Phrase kSlowdownHint{"give the runs of one level alone, or find what slows them down: heat, a limit, a neighbour",
                               "한 수준의 실행만 주거나, 느려지는 까닭(발열, 제한, 이웃)을 찾아 보세요"};
constexpr Phrase kCourse{"course", "경과"};
constexpr Phrase kTooShortCourse{"too few runs to tell a warm-up from chance", "예열인지 우연인지 알기에는 실행이 너무 적음"};
constexpr Phrase kFlatCourse{"flat: one level from the first run to the last", "평탄: 처음부터 끝까지 한 수준"};
constexpr Phrase kWarmUpCourse{"warm-up: {runs} discarded, steady from then on", "예열: {runs} 제외, 그 뒤로 안정"};
constexpr Phrase kSlowdownCourse{"slowdown: steady from run {first} on, at a slower level",
                                 "느려짐: {first}번째 실행부터 더 느린 수준에서 안정"};
constexpr Phrase kNoCourse{"no steady state: [a cycle takes about {cycle} runs|the level still moves at the end, or comes back]",
                           "정상 상태 없음: [한 주기가 약 {cycle}회|수준이 끝까지 변하거나 되돌아옴]"};
constexpr Phrase kLevels{"levels", "수준"};
constexpr Phrase kMoreLevels{"and {n} more", "그 밖에 {n}개"};
constexpr Phrase kDuration{"duration ({runs})", "소요 시간 ({runs})"};
constexpr Phrase kIndependent{"independent", "독립 실행"};
constexpr Phrase kAllIndependent{"all of them: none depends on those before it", "전부: 앞선 실행에 좌우되는 실행이 없음"};
constexpr Phrase kSomeIndependent{"{sizes} (neighbours are alike)", "{sizes} (이웃한 실행이 서로 닮음)"};

std::string course_words(const DurationStats& stats, Language language) {
  const stats::Steadiness& course = stats.course;
  switch (course.verdict) {
    case stats::Course::TooShort:
      return say(kTooShortCourse, language);
    case stats::Course::Flat:
      return say(kFlatCourse, language);
    case stats::Course::WarmUp:
      return say(kWarmUpCourse, language, {{"runs", counted_runs(stats.discarded, language)}});
    case stats::Course::Slowdown:
      return say(kSlowdownCourse, language, {{"first", grouped(course.steady_from + 1)}});
    case stats::Course::NoSteadyState:
      break;
  }
  Facts facts;
  if (course.cycle > 0) facts["cycle"] = grouped(static_cast<std::uint64_t>(std::llround(course.cycle)));
  return say(kNoCourse, language, facts);
}

std::string levels(const std::vector<stats::Segment>& segments, Language language) {
  std::string out;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i > 0) out += " → ";
    if (i == kLevelsShown) return out + say(kMoreLevels, language, {{"n", grouped(segments.size() - i)}});
    out += fmt::format("{} ({})", duration(segments[i].median), counted_runs(segments[i].count, language));
  }
  return out;
}

/// Of each quantile how many independent runs its interval stands on. Empty where none has one.
std::string independent(const stats::Summary& summary, Language language) {
  std::string sizes;
  bool all = true;
  for (const stats::NamedQuantile& each : stats::kQuantiles) {
    const stats::QuantileEstimate& estimate = summary.*each.estimate;
    if (!estimate) continue;
    const auto size = static_cast<std::uint64_t>(estimate->effective);
    all = all && size == summary.count;
    sizes += fmt::format("{}{} {}", sizes.empty() ? "" : " · ", each.p == 0.5 ? say(Text::Median, language) : each.name, grouped(size));
  }
  if (sizes.empty()) return {};
  return all ? say(kAllIndependent, language) : say(kSomeIndependent, language, {{"sizes", sizes}});
}

Latency table(const DurationStats& stats, Language language) {
  const stats::Summary& summary = stats.duration;
  Latency out{say(kDuration, language, {{"runs", counted_runs(summary.count, language)}}), say(Text::Interval, language), {}, {}, {}, {}};
  out.rows.push_back(quantile_row(say(Text::Median, language), summary.median, false, language));
  add_percentiles(summary, false, language, out);
  draw_histogram(summary, stats.sorted, language, out);
  return out;
}

}  // namespace

std::string to_text(const DurationStats& stats, Language language, bool unicode) {
  if (!unicode) language = Language::English;  // there is no Korean in ASCII
  TextPage page(unicode);
  if (stats.course.verdict == stats::Course::NoSteadyState) page.alert(say(Text::NoSteadyState, language));
  std::string title = stats.source;
  if (!stats.series.empty()) title += " · " + stats.series;
  title += " · " + counted_runs(stats.count, language);
  if (!stats.unit.empty()) title += " · " + say(kUnit, language, {{"unit", stats.unit}});
  page.line(title, 2);
  page.blank();
  page.row({say(kCourse, language), course_words(stats, language)});
  if (stats.course.segments.size() > 1) page.row({say(kLevels, language), levels(stats.course.segments, language)});
  page.blank();
  page.latency(table(stats, language));
  if (std::string value = independent(stats.duration, language); !value.empty()) {
    page.blank();
    page.row({say(kIndependent, language), std::move(value)});
  }
  if (stats.course.verdict == stats::Course::Slowdown) page.warnings({{say(kSlowdown, language), say(kSlowdownHint, language)}});
  return page.take();
}

}  // namespace lapse::report
