#include "cli/report_outputs.hpp"

#include <fmt/format.h>

#include <lapse/report/html.hpp>
#include <lapse/report/overlap.hpp>
#include <nlohmann/json.hpp>

#include "cli/console.hpp"

namespace lapse::cli {

void ReportOutputs::add_to(CLI::App& command) {
  forms_.add(command, "--json", "Everything, raw samples included (docs/json.md); - is stdout instead of the text");
  forms_.add(command, "--csv", "The raw samples, a row a run");
  forms_.add(command, "--markdown", "A table to paste");
  forms_.add(command, "--html", "A page with charts, which opens from disk");
}

Result<void> ReportOutputs::write(const report::Report& report, report::Language language) {
  // The raw data first: it is what can't be made again.
  forms_.put("--json", [&] { return report::to_json_text(report); });
  forms_.put("--csv", [&] { return report::to_csv(report); });
  forms_.put("--markdown", [&] { return report::to_markdown(report, language); });
  forms_.put("--html", [&] { return report::to_html(report, language); });
  if (!forms_.takes_stdout()) fmt::print("{}", report::to_text(report, language, unicode_terminal()));
  return forms_.outcome();
}

Result<void> ReportOutputs::write(const report::Sweep& sweep, report::Language language) {
  LAPSE_CHECK(forms_.refuse({"--markdown"}, "a sweep"));
  forms_.put("--json", [&] { return report::to_json_text(sweep); });
  forms_.put("--csv", [&] { return report::to_csv(sweep); });
  forms_.put("--html", [&] { return report::to_html(report::to_json(sweep), language); });
  if (!forms_.takes_stdout()) fmt::print("{}", report::to_text(sweep, language, unicode_terminal()));
  return forms_.outcome();
}

Result<void> ReportOutputs::write(const report::Comparison& comparison, report::Language language) {
  LAPSE_CHECK(forms_.refuse({"--csv", "--html"}, "a comparison"));
  forms_.put("--json", [&] { return report::to_json_text(comparison); });
  forms_.put("--markdown", [&] { return report::to_markdown(comparison, language); });
  if (!forms_.takes_stdout()) fmt::print("{}", report::to_text(comparison, language, unicode_terminal()));
  return forms_.outcome();
}

Result<void> ReportOutputs::write(const nlohmann::ordered_json& pipeline, report::Language language) {
  LAPSE_CHECK(forms_.refuse({"--json", "--csv", "--markdown"}, "a saved pipeline"));
  LAPSE_TRY(const std::string text, report::overlap_text(pipeline, language, unicode_terminal()));
  forms_.put("--html", [&] { return report::to_html(pipeline, language); });
  if (!forms_.takes_stdout()) fmt::print("{}", text);
  return forms_.outcome();
}

}  // namespace lapse::cli
