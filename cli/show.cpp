#include <fmt/format.h>

#include <lapse/report/overlap.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/report_outputs.hpp"
#include "cli/saved_file.hpp"

namespace lapse::cli {
namespace {

struct Options {
  std::string file;
  ReportOutputs outputs;
};

Result<nlohmann::ordered_json> pipeline_from_json(std::string_view text) { return nlohmann::ordered_json::parse(text); }

Result<void> run(Options& options, const Context& context) {
  LAPSE_TRY(const std::string text, read_saved(options.file));
  const auto show = [&](auto saved) -> Result<void> {
    if (!saved) {
      Error error = std::move(saved).error();
      error.message = fmt::format("{}: {}", options.file, error.message);
      return tl::unexpected(std::move(error));
    }
    LAPSE_CHECK(options.outputs.open({options.file}));
    return options.outputs.write(*saved, context.language);
  };
  const auto schema = report::schema_of(text);  // without one, from_json says what is wrong
  if (schema == report::kPipelineSchema) return show(pipeline_from_json(text));
  if (schema == report::kComparisonSchema) return show(report::comparison_from_json(text));
  if (schema == report::kSweepSchema) return show(report::sweep_from_json(text));
  return show(report::from_json(text));
}

}  // namespace

Command add_show(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  const auto command = app.add_subcommand("show", "Print a saved result again");
  command->add_option("FILE", options->file, "What `lapse time`, `compare`, `pipeline` or `sweep` saved with --json FILE")
      ->required()
      ->type_name("");
  options->outputs.add_to(*command);
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? 0 : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
