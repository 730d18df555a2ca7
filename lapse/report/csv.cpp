#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <iterator>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/render.hpp>
#include <string_view>
#include <utility>
#include <vector>

namespace lapse::report {
namespace {

using Column = std::pair<std::string_view, const std::vector<double> Series::*>;

void put(const Series& samples, const std::vector<Column>& columns, std::string_view end, std::size_t& run, std::string& out) {
  for ([[maybe_unused]] const auto& [name, column] : columns) assert((samples.*column).size() == samples.end_to_end.size());
  auto tag = samples.tags.begin();
  for (std::size_t i = 0; i < samples.end_to_end.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}", ++run);
    for (const auto& [name, column] : columns) fmt::format_to(std::back_inserter(out), ",{}", std::llround((samples.*column)[i]));
    while (tag != samples.tags.end() && i >= tag->first + tag->count) ++tag;
    out += ',' + (tag != samples.tags.end() && i >= tag->first ? reason_codes(tag->reasons) : "");
    out += end;
  }
}

}  // namespace

std::string to_csv(const Report& report) {
  std::vector<Column> columns{{"end_to_end_ns", &Series::end_to_end}, {"submit_ns", &Series::submit}, {"device_ns", &Series::device}};
  for (const Column& stage : {Column{"h2d_ns", &Series::h2d}, Column{"d2h_ns", &Series::d2h}}) {
    if (!(report.samples.*stage.second).empty()) columns.push_back(stage);
  }
  std::string out = "run";
  for (const auto& [name, column] : columns) fmt::format_to(std::back_inserter(out), ",{}", name);
  out += ",disturbed";
  out += report.idle.empty() ? "\n" : ",gap_ns\n";
  std::size_t run = 0;
  put(report.samples, columns, report.idle.empty() ? "\n" : ",\n", run, out);
  for (const IdleRow& row : report.idle) put(row.samples, columns, fmt::format(",{}\n", std::llround(row.gap_ns)), run, out);
  return out;
}

}  // namespace lapse::report
