#pragma once
// What lapse's mathematics says of durations that somebody else recorded: what `lapse stats` reports. Data, and its forms: text (Korean,
// English) and JSON ("lapse.stats/1", docs/json.md).

#include <cstddef>
#include <lapse/report/durations.hpp>
#include <lapse/report/render.hpp>
#include <lapse/stats/course.hpp>
#include <lapse/stats/summary.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::report {

struct DurationStats {
  std::string source;         // as the user named it
  std::string series, unit;   // as Durations has them
  std::size_t count = 0;      // of all durations, as they came
  stats::Steadiness course;   // of all of them
  std::size_t discarded = 0;  // the warm-up: the first ones, which no figure below holds
  stats::Summary duration;
  std::vector<double> sorted;  // what is summarised
};

/// Of a warm-up the steady part is summarised, of every other course all durations: which of the levels of a slowdown is the right one
/// nobody can tell from the times. Takes no second copy of them.
DurationStats examine(Durations durations, std::string source);

/// One level from the beginning, or from the end of the warm-up, to the end; not too short to tell.
bool steady(const DurationStats& stats);

inline constexpr std::string_view kStatsSchema = "lapse.stats/1";

std::string to_text(const DurationStats& stats, Language language, bool unicode = true);
std::string to_json_text(const DurationStats& stats);

}  // namespace lapse::report
