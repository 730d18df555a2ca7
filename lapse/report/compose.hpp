#pragma once
// From what was measured to what is reported.

#include <lapse/measure/model.hpp>
#include <lapse/report/report.hpp>
#include <string>
#include <vector>

namespace lapse::report {

/// Everything that a report says, warnings included. `argv` as the program was called.
Report compose(const measuring::ModelRequest& request, const measuring::Plan& plan, const measuring::PreparedModel& model,
               const measuring::ModelTiming& timing, std::vector<std::string> argv);

}  // namespace lapse::report
