#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <lapse/base/time.hpp>
#include <lapse/report/duration_stats.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/output_forms.hpp"

namespace lapse::cli {
namespace {

constexpr const char* kFooter =
    "FILE holds durations in the order in which they were measured: one a line (12.5ms, or 3.1e-3 with\n"
    "--unit), a CSV with --column, or what `lapse time --json` saved. Blank lines and lines that begin with #\n"
    "are skipped. Units are ns, us, ms, s, min and h; a CSV column called like latency_ms has its unit by its\n"
    "name.\n"
    "\n"
    "A warm-up is found and left out of the figures. Intervals are as wide as runs that resemble their\n"
    "neighbours make them; a percentile without enough of them is not reported.\n"
    "\n"
    "Examples:\n"
    "  lapse stats times.txt --unit ms\n"
    "  lapse stats runs.csv --column latency_ms --json stats.json\n"
    "  grep -o 'took [0-9.]*ms' server.log | cut -d' ' -f2 | lapse stats -";

struct Options {
  std::string file;
  report::DurationFormat format;
  bool strict = false;
  OutputForms outputs;
};

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<report::Durations> read(const std::string& path, const report::DurationFormat& format) {
  const auto cannot = [&] {
    return fail(ErrorCode::BadInput, fmt::format("it can't be read: {}", std::strerror(errno)), "give a file, or - for stdin");
  };
  std::unique_ptr<std::FILE, Close> opened;
  if (path != "-") {
    opened.reset(std::fopen(path.c_str(), "rb"));
    if (!opened) return cannot();
  }
  std::FILE* file = opened ? opened.get() : stdin;
  report::DurationReader reader(format);
  std::array<char, 65536> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file)) LAPSE_CHECK(reader.add({buffer.data(), got}));
  if (std::ferror(file) != 0) return cannot();
  return reader.finish();
}

Result<int> run(Options& options, const Context& context) {
  LAPSE_CHECK(options.outputs.open({options.file}));
  const std::string source = options.file == "-" ? "stdin" : options.file;
  auto durations = read(options.file, options.format);
  if (!durations) {
    Error error = std::move(durations).error();
    error.message = fmt::format("{}: {}", source, error.message);
    return tl::unexpected(std::move(error));
  }
  const report::DurationStats stats = report::examine(std::move(*durations), source);
  options.outputs.put("--json", [&] { return report::to_json_text(stats); });
  if (!options.outputs.takes_stdout()) fmt::print("{}", report::to_text(stats, context.language, unicode_terminal()));
  LAPSE_CHECK(options.outputs.outcome());
  return options.strict && !report::steady(stats) ? kUndecided : 0;
}

}  // namespace

Command add_stats(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  const auto command = app.add_subcommand("stats", "Say what durations tell that somebody else recorded: intervals, warm-up, steadiness");
  const CLI::Validator a_unit{
      [](const std::string& text) { return nanoseconds_of(text) ? "" : fmt::format("'{}' is no unit: ns, us, ms, s, min, h", text); }, ""};
  command->add_option("FILE", options->file, "File of durations, or - for stdin")->required()->type_name("");
  command->add_option("--unit", options->format.unit, "Unit of numbers without one (default: as the column's name says, else s)")
      ->type_name("UNIT")
      ->check(a_unit);
  command->add_option("--column", options->format.column, "Column of a CSV, by its name or number; series of a result, as submit_ns")
      ->type_name("NAME|N");
  command->add_flag("--strict", options->strict, "Exit with 5 unless the times are steady, apart from a warm-up");
  options->outputs.add(*command, "--json", "The figures (docs/json.md); - is stdout instead of the text");
  command->footer(kFooter);
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
