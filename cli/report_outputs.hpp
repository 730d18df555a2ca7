#pragma once
// Where a report goes: text on stdout, and files in other forms. Shared by `time`, which makes one, and `show`, which reads all kinds.

#include <lapse/report/comparison.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/sweep.hpp>

#include "cli/output_forms.hpp"

namespace lapse::cli {

class ReportOutputs {
 public:
  void add_to(CLI::App& command);
  /// OutputForms::open.
  Result<void> open(const std::vector<std::string>& inputs) { return forms_.open(inputs); }
  /// The text report goes to stdout unless another form took it.
  Result<void> write(const report::Report& report, report::Language language);
  /// Of a saved sweep. Error: BadUse, when a form was asked for that it does not have.
  Result<void> write(const report::Sweep& sweep, report::Language language);
  /// Of a saved comparison, likewise.
  Result<void> write(const report::Comparison& comparison, report::Language language);
  /// Of a saved pipeline (lapse.pipeline/1), likewise.
  Result<void> write(const nlohmann::ordered_json& pipeline, report::Language language);

 private:
  OutputForms forms_;
};

}  // namespace lapse::cli
