#pragma once
// The forms of what `lapse doctor` found out about a machine (lapse/measure/machine.hpp, diagnosis.hpp).

#include <lapse/measure/machine.hpp>
#include <lapse/measure/truth.hpp>
#include <lapse/report/render.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lapse::report {

inline constexpr std::string_view kMachineSchema = "lapse.machine/1";

/// What was found out about the device beside the CPU.
struct ExaminedDevice {
  std::string id;  // "cuda"
  measuring::DeviceState state;
  measuring::Truth truth;
};

struct MachineReport {
  measuring::Examination examination;
  std::optional<ExaminedDevice> device;
  std::string no_device;  // why there is none
  std::vector<std::string> argv;
};

/// A row for each thing that was looked at, with its grade and what to do; the verdict; the table of the device's timing.
std::string to_text(const MachineReport& report, Language language, bool unicode = true);
/// kMachineSchema: docs/json.md.
std::string to_json_text(const MachineReport& report);

}  // namespace lapse::report
