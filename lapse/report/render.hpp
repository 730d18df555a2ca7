#pragma once
// The forms of a report.

#include <lapse/base/error.hpp>
#include <lapse/report/report.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace lapse::report {

enum class Language { English, Korean };

/// "en", "ko". Error: BadInput.
Result<Language> parse_language(std::string_view text);
/// By LC_ALL, LC_MESSAGES, LANG, in that order: Korean for ko*, English for everything else.
Language language_of_environment();

/// For a person at a terminal: what was measured, the cold start, the latency with its interval, percentiles, a histogram, warnings.
/// `unicode` false: ASCII only (a terminal that isn't UTF-8).
std::string to_text(const Report& report, Language language, bool unicode = true);
/// A table to paste into an issue or a README.
std::string to_markdown(const Report& report, Language language);
/// One row a run: run,end_to_end_ns,submit_ns,device_ns, and h2d_ns,d2h_ns where there are such stages.
std::string to_csv(const Report& report);

/// The value of the key "schema". What is added to it later keeps the name; what is changed or taken away gets another.
inline constexpr std::string_view kSchema = "lapse.result/1";

/// The report under the keys of docs/json.md, in the order in which a person would read them. What is not finite is null.
nlohmann::ordered_json to_json(const Report& report);
/// to_json as a file holds it: indented by two spaces, arrays of numbers on one line, a newline at the end. Bytes that are not UTF-8
/// become U+FFFD.
std::string to_json_text(const Report& report);
/// The schema that a saved file names: what it is to be read with. Empty where it is no JSON object or names none.
std::string schema_of(std::string_view text);
/// Reads what to_json_text wrote. Summaries are computed again from the samples, so that the two can't disagree; other keys are ignored.
/// Errors: BadInput (not JSON, another schema, a missing key or a key of the wrong type, samples of different lengths). Safe on hostile
/// bytes.
Result<Report> from_json(std::string_view text);

}  // namespace lapse::report
