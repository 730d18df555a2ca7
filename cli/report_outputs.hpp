#pragma once
// Where a report goes: text on stdout, and files in other forms. Shared by `time` and `show`.

#include <CLI/CLI.hpp>
#include <lapse/report/render.hpp>
#include <optional>
#include <string>

#include "cli/output_file.hpp"

namespace lapse::cli {

class ReportOutputs {
 public:
  void add_to(CLI::App& command);
  /// Before anything is measured. Error: BadUse when a file can't be written, or two forms want stdout.
  Result<void> open();
  /// The text report goes to stdout unless another form took it.
  Result<void> write(const report::Report& report, report::Language language);

 private:
  struct Form {
    std::string path;
    std::optional<OutputFile> file;
  };
  Form json_, csv_, markdown_;
};

}  // namespace lapse::cli
