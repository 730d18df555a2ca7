#include "cli/report_outputs.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/console.hpp"

namespace lapse::cli {

void ReportOutputs::add_to(CLI::App& command) {
  const auto option = [&](const char* name, std::string& path, const char* text) {
    command.add_option(name, path, text)->type_name("FILE|-")->group("Output");
  };
  option("--json", json_.path, "Everything, raw samples included (docs/json.md); - is stdout instead of the text");
  option("--csv", csv_.path, "The raw samples, a row a run");
  option("--markdown", markdown_.path, "A table to paste");
}

Result<void> ReportOutputs::open() {
  int on_stdout = 0;
  for (Form* form : {&json_, &csv_, &markdown_}) {
    if (form->path.empty()) continue;
    LAPSE_TRY(auto file, OutputFile::open(form->path));
    on_stdout += file.is_stdout() ? 1 : 0;
    form->file.emplace(std::move(file));
  }
  if (on_stdout > 1) return fail(ErrorCode::BadUse, "only one form can go to stdout", "name a file for the other");
  return {};
}

Result<void> ReportOutputs::write(const report::Report& report, report::Language language) {
  bool text = true;
  const auto put = [&](Form& form, auto render) -> Result<void> {
    if (!form.file) return {};
    text = text && !form.file->is_stdout();
    return form.file->write(render());
  };
  // The raw data first: it is what can't be made again.
  LAPSE_CHECK(put(json_, [&] { return report::to_json_text(report); }));
  LAPSE_CHECK(put(csv_, [&] { return report::to_csv(report); }));
  LAPSE_CHECK(put(markdown_, [&] { return report::to_markdown(report, language); }));
  if (text) fmt::print("{}", report::to_text(report, language, unicode_terminal()));
  return {};
}

}  // namespace lapse::cli
