#pragma once
// From what was measured to what is reported.

#include <lapse/measure/measure.hpp>
#include <lapse/measure/model.hpp>
#include <lapse/report/report.hpp>
#include <string>
#include <vector>

namespace lapse::report {

/// Everything that a report says, warnings included. `argv` as the program was called.
Report compose(const measuring::ModelRequest& request, const measuring::Plan& plan, const measuring::PreparedModel& model,
               const measuring::ModelTiming& timing, std::vector<std::string> argv);

/// The same of somebody's own code, under the name that they give it.
Report compose(const Measured& measured, std::string name, std::vector<std::string> argv = {});

}  // namespace lapse::report
