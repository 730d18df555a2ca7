#pragma once
// A measurement that was made in several processes (Report::processes), taken apart again.

#include <lapse/report/report.hpp>
#include <span>
#include <vector>

namespace lapse::report {

/// The end-to-end times of each process, in order; one span where it was one. They end where `report` does.
std::vector<std::span<const double>> per_process(const Report& report);

}  // namespace lapse::report
