#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <functional>
#include <iterator>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/render.hpp>
#include <string_view>
#include <utility>
#include <vector>

namespace lapse::report {
namespace {

using Column = std::pair<std::string_view, const std::vector<double> Series::*>;

/// Of each run in turn.
class ProcessNumber {
 public:
  explicit ProcessNumber(const std::vector<ProcessRow>& processes) : processes_(processes) {}

  std::size_t operator()(std::size_t run) {
    while (number_ < processes_.size() && run >= end_) end_ += static_cast<std::size_t>(processes_[number_++].count);
    return number_;
  }

 private:
  const std::vector<ProcessRow>& processes_;
  std::size_t number_ = 0, end_ = 0;  // so many of them have begun, with so many runs
};

void put(const Series& samples, const std::vector<Column>& columns, const std::function<std::string(std::size_t)>& last, std::size_t& run,
         std::string& out) {
  for ([[maybe_unused]] const auto& [name, column] : columns) assert((samples.*column).size() == samples.end_to_end.size());
  auto tag = samples.tags.begin();
  for (std::size_t i = 0; i < samples.end_to_end.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}", ++run);
    for (const auto& [name, column] : columns) fmt::format_to(std::back_inserter(out), ",{}", std::llround((samples.*column)[i]));
    while (tag != samples.tags.end() && i >= tag->first + tag->count) ++tag;
    out += ',' + (tag != samples.tags.end() && i >= tag->first ? reason_codes(tag->reasons) : "");
    out += last(i) + '\n';
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
  if (!report.processes.empty()) out += ",process";
  if (!report.idle.empty()) out += ",gap_ns";
  out += '\n';
  std::size_t run = 0;
  ProcessNumber process(report.processes);
  const std::string no_process = report.processes.empty() ? "" : ",", no_gap = report.idle.empty() ? "" : ",";
  const auto steady = [&](std::size_t i) { return (report.processes.empty() ? "" : fmt::format(",{}", process(i))) + no_gap; };
  put(report.samples, columns, steady, run, out);
  for (const IdleRow& row : report.idle) {
    const std::string gap = fmt::format("{},{}", no_process, std::llround(row.gap_ns));
    put(
        row.samples, columns, [&](std::size_t) { return gap; }, run, out);
  }
  return out;
}

}  // namespace lapse::report
