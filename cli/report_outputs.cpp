#include "cli/report_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

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
  std::vector<std::filesystem::path> taken;
  for (Form* form : {&json_, &csv_, &markdown_}) {
    if (form->path.empty()) continue;
    LAPSE_TRY(form->file, OutputFile::open(form->path));
    if (std::ranges::find(taken, form->file->path()) != taken.end()) {
      return fail(ErrorCode::BadUse, fmt::format("two forms can't both go to {}", form->path), "name a file for each");
    }
    taken.push_back(form->file->path());
  }
  return {};
}

Result<void> ReportOutputs::write(const report::Report& report, report::Language language) {
  bool text = true;
  Result<void> outcome;
  const auto put = [&](const Form& form, auto render) {
    if (!form.file) return;
    text = text && !form.file->is_stdout();
    if (auto written = form.file->write(render()); !written && outcome) outcome = std::move(written);
  };
  // The raw data first: it is what can't be made again. What can't be written keeps nothing else from being written.
  put(json_, [&] { return report::to_json_text(report); });
  put(csv_, [&] { return report::to_csv(report); });
  put(markdown_, [&] { return report::to_markdown(report, language); });
  if (text) fmt::print("{}", report::to_text(report, language, unicode_terminal()));
  return outcome;
}

}  // namespace lapse::cli
