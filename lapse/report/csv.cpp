#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <iterator>
#include <lapse/report/render.hpp>

namespace lapse::report {

std::string to_csv(const Report& report) {
  const Series& samples = report.samples;
  assert(samples.submit.size() == samples.end_to_end.size() && samples.device.size() == samples.end_to_end.size());
  std::string out = "run,end_to_end_ns,submit_ns,device_ns\n";
  for (std::size_t i = 0; i < samples.end_to_end.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{}\n", i + 1, std::llround(samples.end_to_end[i]), std::llround(samples.submit[i]),
                   std::llround(samples.device[i]));
  }
  return out;
}

}  // namespace lapse::report
