#pragma once
// What a report says of runs that were disturbed while they were timed (lapse/measure/tag.hpp): how many there are, and what the estimates
// would be without them. Nothing is left out of any other figure. Of lapse/report alone.

#include <lapse/report/json_node.hpp>
#include <lapse/report/outline.hpp>
#include <lapse/report/report.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace lapse::report {

/// End-to-end times of the runs without a tag, in order.
std::vector<double> undisturbed(const Series& samples);

/// None where no run was disturbed.
std::vector<Row> disturbed_rows(const Report& report, Language language);

/// "steal+preempted"; empty without reasons.
std::string reason_codes(std::uint32_t reasons);

/// {"count", "reasons", "without"}
nlohmann::ordered_json disturbed_json(const Report& report);
/// [{"first", "count", "reasons"}], and back. Of so many runs.
nlohmann::ordered_json tags_json(const std::vector<measuring::Tag>& tags);
std::vector<measuring::Tag> read_tags(const JsonNode& node, std::size_t runs);

}  // namespace lapse::report
