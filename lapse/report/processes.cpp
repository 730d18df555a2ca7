#include <lapse/report/processes.hpp>

namespace lapse::report {

std::vector<std::span<const double>> per_process(const Report& report) {
  const std::span<const double> all = report.samples.end_to_end;
  if (report.processes.empty()) return {all};
  std::vector<std::span<const double>> out;
  std::size_t first = 0;
  for (const ProcessRow& process : report.processes) {
    const auto count = static_cast<std::size_t>(process.count);
    out.push_back(all.subspan(first, count));
    first += count;
  }
  return out;
}

}  // namespace lapse::report
