#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/report_outputs.hpp"

namespace lapse::cli {
namespace {

struct Options {
  std::string file;
  ReportOutputs outputs;
};

Result<std::string> read_text(const std::string& path) {
  std::error_code failed;
  std::ifstream stream(path, std::ios::binary);
  const auto status = std::filesystem::status(path, failed);
  if (!stream.is_open() || !(std::filesystem::is_regular_file(status) || std::filesystem::is_fifo(status))) {
    return fail(ErrorCode::BadInput, fmt::format("{} can't be read", path), "give a file that `lapse time --json FILE` wrote");
  }
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

Result<void> run(Options& options, const Context& context) {
  LAPSE_TRY(const std::string text, read_text(options.file));
  auto report = report::from_json(text);
  if (!report) {
    Error error = std::move(report).error();
    error.message = fmt::format("{}: {}", options.file, error.message);
    return tl::unexpected(std::move(error));
  }
  LAPSE_CHECK(options.outputs.open());
  return options.outputs.write(*report, context.language);
}

}  // namespace

Command add_show(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  const auto command = app.add_subcommand("show", "Print a saved result again");
  command->add_option("FILE", options->file, "A result that `lapse time --json FILE` wrote")->required()->type_name("");
  options->outputs.add_to(*command);
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? 0 : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
