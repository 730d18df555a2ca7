#include <lapse/report/duration_stats.hpp>
#include <lapse/report/json_parts.hpp>
#include <nlohmann/json.hpp>

namespace lapse::report {

DurationStats examine(Durations durations, std::string source) {
  DurationStats out;
  out.source = std::move(source);
  out.series = std::move(durations.series);
  out.unit = std::move(durations.unit);
  out.count = durations.ns.size();
  out.course = stats::examine_course(durations.ns);
  if (out.course.verdict == stats::Course::WarmUp) out.discarded = out.course.steady_from;
  out.sorted = std::move(durations.ns);
  out.sorted.erase(out.sorted.begin(), out.sorted.begin() + static_cast<std::ptrdiff_t>(out.discarded));
  out.duration = stats::summarise_in_place(out.sorted);
  return out;
}

bool steady(const DurationStats& stats) {
  return stats.course.verdict == stats::Course::Flat || stats.course.verdict == stats::Course::WarmUp;
}

std::string to_json_text(const DurationStats& stats) {
  using Json = nlohmann::ordered_json;
  Json segments = Json::array();
  for (const stats::Segment& segment : stats.course.segments) {
    segments.push_back({{"first", segment.first}, {"count", segment.count}, {"median_ns", number_json(segment.median)}});
  }
  return document_text({{"schema", kStatsSchema},
                        {"created", created_now()},
                        {"source", stats.source},
                        {"series", stats.series},
                        {"unit", stats.unit},
                        {"count", stats.count},
                        {"course",
                         {{"verdict", stats::name(stats.course.verdict)},
                          {"discarded", stats.discarded},
                          {"cycle_runs", number_json(stats.course.cycle)},
                          {"segments", std::move(segments)}}},
                        {"summary", {{"duration", summary_json(stats.duration)}}}});
}

}  // namespace lapse::report
