#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <iterator>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/render.hpp>
#include <utility>
#include <vector>

namespace lapse::report {

std::string to_csv(const Report& report) {
  const Series& samples = report.samples;
  std::string out = "run,end_to_end_ns,submit_ns,device_ns";
  std::vector<const std::vector<double>*> columns{&samples.end_to_end, &samples.submit, &samples.device};
  for (const auto& [name, stage] : {std::pair{",h2d_ns", &samples.h2d}, std::pair{",d2h_ns", &samples.d2h}}) {
    if (stage->empty()) continue;
    out += name;
    columns.push_back(stage);
  }
  for ([[maybe_unused]] const auto* column : columns) assert(column->size() == samples.end_to_end.size());
  out += ",disturbed\n";
  auto tag = samples.tags.begin();
  for (std::size_t i = 0; i < samples.end_to_end.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}", i + 1);
    for (const auto* column : columns) fmt::format_to(std::back_inserter(out), ",{}", std::llround((*column)[i]));
    while (tag != samples.tags.end() && i >= tag->first + tag->count) ++tag;
    out += ',' + (tag != samples.tags.end() && i >= tag->first ? reason_codes(tag->reasons) : "") + '\n';
  }
  return out;
}

}  // namespace lapse::report
