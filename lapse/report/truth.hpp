#pragma once
// The forms of what `lapse doctor` found out about a device's timing (lapse/measure/truth.hpp).

#include <lapse/device/controls.hpp>
#include <lapse/measure/truth.hpp>
#include <lapse/report/render.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace lapse::report {

/// A table: a row a length, a column a method with the median of its error; what the empty pair and empty work read; the verdict.
std::string to_text(const measuring::Truth& truth, std::string_view device, const device::DeviceInfo& info, Language language,
                    bool unicode = true);
/// Schema "lapse.truth/1": docs/json.md.
nlohmann::ordered_json to_json(const measuring::Truth& truth, std::string_view device, const device::DeviceInfo& info);
std::string to_json_text(const measuring::Truth& truth, std::string_view device, const device::DeviceInfo& info);

}  // namespace lapse::report
