#include "cli/output_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace lapse::cli {

void OutputForms::add(CLI::App& command, const char* option, const char* text) {
  Form& form = forms_.emplace_back(Form{option, {}, {}});
  command.add_option(option, form.path, text)->type_name("FILE|-")->group("Output");
}

Result<void> OutputForms::open(const std::vector<std::string>& inputs) {
  std::vector<std::filesystem::path> taken;
  for (Form& form : forms_) {
    if (form.path.empty()) continue;
    LAPSE_TRY(form.file, OutputFile::open(form.path));
    for (const std::string& input : inputs) {
      std::error_code none;
      if (form.file->is_stdout() || !std::filesystem::equivalent(form.file->path(), input, none)) continue;
      return fail(ErrorCode::BadUse, fmt::format("{} {} would overwrite what is read", form.option, form.path), "choose another file");
    }
    if (std::ranges::find(taken, form.file->path()) != taken.end()) {
      return fail(ErrorCode::BadUse, fmt::format("two forms can't both go to {}", form.path), "name a file for each");
    }
    taken.push_back(form.file->path());
  }
  return {};
}

const OutputForms::Form* OutputForms::find(std::string_view option) const {
  const auto form = std::ranges::find(forms_, option, &Form::option);
  return form == forms_.end() || form->path.empty() ? nullptr : &*form;
}

Result<void> OutputForms::refuse(std::initializer_list<std::string_view> options, std::string_view what) const {
  for (const std::string_view option : options) {
    if (find(option) != nullptr) return fail(ErrorCode::BadUse, fmt::format("there is no {} of {}", option, what), "leave it out");
  }
  return {};
}

void OutputForms::put(std::string_view option, const std::function<Result<std::string>()>& render) {
  const Form* form = find(option);
  if (form == nullptr) return;
  auto written = render().and_then([form](const std::string& text) { return form->file->write(text); });
  if (!written && outcome_) outcome_ = std::move(written);
}

bool OutputForms::takes_stdout() const {
  return std::ranges::any_of(forms_, [](const Form& form) { return form.file && form.file->is_stdout(); });
}

}  // namespace lapse::cli
