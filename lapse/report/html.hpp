#pragma once
// What was measured as one page: charts, their data as tables, Korean and English. It opens from disk and asks no network for anything.
// The page itself is lapse/report/page, put together with the chart library and the measurement.

#include <lapse/report/render.hpp>

namespace lapse::report {

/// `language` is the one that the page opens in; it has both. The page holds all of the report but the times at which runs began.
std::string to_html(const Report& report, Language language);

/// The same of what lapse saves: of schema lapse.result/1, lapse.pipeline/1 or lapse.sweep/1. Bytes that are not UTF-8 become U+FFFD.
/// Errors: BadInput (another schema; a lapse.result/1 that from_json refuses).
Result<std::string> to_html(const nlohmann::ordered_json& document, Language language);

}  // namespace lapse::report
