#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <lapse/base/time.hpp>
#include <lapse/report/comparison.hpp>
#include <lapse/report/json_parts.hpp>
#include <lapse/report/processes.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/compare_live.hpp"
#include "cli/console.hpp"
#include "cli/output_forms.hpp"
#include "cli/saved_file.hpp"

namespace lapse::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    "A and B are measured now, taking turns (--a, --b), which is the surest way. Or they are files that\n"
    "`lapse time --processes 6 --json FILE` saved, or folders of such files: those of the same name are\n"
    "compared, and all are judged together, so that many of them don't raise a false alarm.\n"
    "\n"
    "The verdict on the median, and on the highest percentile that the runs support, is of the ratio B / A and\n"
    "its interval: equivalent (it lies within the margin), slower, faster, or undecided. Fewer than 5 processes\n"
    "a side decide nothing, unless --noise tells how much processes differ here.\n"
    "\n"
    "What can't be compared is refused: another machine, device, shape, batch or scenario; a measurement that\n"
    "was interrupted, failed, or has wrong times. docs/comparing.md has a recipe for a CI job.\n"
    "\n"
    "Exit status: 0 nothing is slower, 1 something is slower, 5 nothing is, but something is undecided (only\n"
    "with --strict), 2 what can't be compared, 3 and 4 as of `lapse time` of a side, 70 a side crashed, 130\n"
    "interrupted.\n"
    "\n"
    "Examples:\n"
    "  lapse compare --a 'model.onnx --threads 1' --b 'model.onnx --threads 2'\n"
    "  lapse compare before.json after.json\n"
    "  lapse compare --baseline baseline.json new.json --save-baseline --strict\n"
    "  lapse compare main/ branch/ --margin 0.02 --markdown comparison.md";

constexpr double kMostPairs = 1000;

struct Options {
  std::vector<std::string> files;
  std::string baseline, budget = "30s";
  LiveRequest live;
  bool save_baseline = false, strict = false;
  report::ComparisonRules rules;
  OutputForms outputs;

  void add_to(CLI::App& command) {
    command.add_option("FILES", files, "A and B: saved measurements, or folders of them (with --baseline: B alone)")->type_name("");
    const auto measuring = [&](const char* name, auto& value, const char* type, const char* text) {
      return command.add_option(name, value, text)->type_name(type)->group("Live");
    };
    measuring("--a", live.sides[0], "COMMAND", "What `lapse time` is told of A: 'model.onnx --threads 1'");
    measuring("--b", live.sides[1], "COMMAND", "… and of B");
    measuring("--processes", live.pairs, "K", "Pairs of fresh processes, one of A and one of B, that take turns (default: 6)")
        ->check(number_between(1, kMostPairs));
    measuring("--budget", budget, "TIME", "About how long all of them run together, besides loading (default: 30s)");
    const auto judging = [&](const char* name, auto& value, const char* type, const char* text) {
      return command.add_option(name, value, text)->type_name(type)->group("Verdict");
    };
    judging("--margin", rules.margin, "SHARE", "Differences within ± this share are none (default: 0.01)")->check(number_between(0, 0.99));
    judging("--noise", rules.noise, "SHARE", "How much processes differ here (standard deviation), for sides with fewer than 5: 0.02")
        ->check(number_between(1e-9, 10));
    command.add_flag("--force", rules.force, "Compare what can't be compared; the report says so")->group("Verdict");
    command.add_flag("--strict", strict, "Exit status 5 when something is undecided")->group("Verdict");
    judging("--baseline", baseline, "FILE", "A, where it is kept for a CI job")->group("Baseline");
    command.add_flag("--save-baseline", save_baseline, "Where there is no --baseline yet, B becomes it")->group("Baseline");
    outputs.add(command, "--json", "All figures (docs/json.md); - is stdout instead of the text");
    outputs.add(command, "--markdown", "A table to paste");
    outputs.add(command, "--save-a", "Of --a: the measurement itself, as `lapse time --json` saves it");
    outputs.add(command, "--save-b", "Of --b, likewise");
    command.footer(kFooter);
  }
};

bool is_live(const Options& options) { return !options.live.sides[0].empty() || !options.live.sides[1].empty(); }

Result<report::Report> read_report(const fs::path& path) {
  LAPSE_TRY(const std::string text, read_saved(path.string()));
  auto saved = report::from_json(text);
  if (saved) return saved;
  Error error = std::move(saved).error();
  error.message = fmt::format("{}: {}", path.string(), error.message);
  return tl::unexpected(std::move(error));
}

struct Sides {
  std::string a, b;
  std::vector<report::Pair> pairs;
  std::vector<std::string> only_a, only_b;
  bool interrupted = false;
};

/// Names of the files in a folder, in order; other documents of lapse (a sweep's own) are left out.
Result<std::vector<std::string>> results_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.path().extension() != ".json" || entry.is_directory()) continue;
    LAPSE_TRY(const std::string text, read_saved(entry.path().string()));
    const std::string schema = report::schema_of(text);
    if (schema.empty() || schema.starts_with("lapse.result/")) names.push_back(entry.path().filename().string());
  }
  if (failed) return fail(ErrorCode::BadInput, fmt::format("{} can't be read: {}", folder.string(), failed.message()));
  std::ranges::sort(names);
  return names;
}

Result<void> read_folders(const fs::path& a, const fs::path& b, Sides& sides) {
  LAPSE_TRY(const auto in_a, results_in(a));
  LAPSE_TRY(const auto in_b, results_in(b));
  std::vector<std::string> both;
  std::ranges::set_intersection(in_a, in_b, std::back_inserter(both));
  std::ranges::set_difference(in_a, in_b, std::back_inserter(sides.only_a));
  std::ranges::set_difference(in_b, in_a, std::back_inserter(sides.only_b));
  if (both.empty()) {
    return fail(ErrorCode::BadInput, fmt::format("no result is in both {} and {}", a.string(), b.string()),
                "files of the same name are compared: save them with `lapse time --json FOLDER/NAME.json`");
  }
  for (const std::string& name : both) {
    LAPSE_TRY(report::Report left, read_report(a / name));
    LAPSE_TRY(report::Report right, read_report(b / name));
    sides.pairs.push_back({fs::path(name).stem().string(), std::move(left), std::move(right), {}});
  }
  return {};
}

Result<Sides> read_sides(const std::string& a, const std::string& b) {
  Sides sides{a, b, {}, {}, {}, false};
  std::error_code failed;
  const bool folders = fs::is_directory(a, failed);
  if (folders != fs::is_directory(b, failed)) {
    return fail(ErrorCode::BadUse, fmt::format("{} is a folder, {} is none", folders ? a : b, folders ? b : a),
                "compare files with files, folders with folders");
  }
  if (folders) {
    LAPSE_CHECK(read_folders(a, b, sides));
    return sides;
  }
  LAPSE_TRY(report::Report left, read_report(a));
  LAPSE_TRY(report::Report right, read_report(b));
  sides.pairs.push_back({"", std::move(left), std::move(right), {}});
  return sides;
}

Result<std::pair<std::string, std::string>> names_of_sides(const Options& options) {
  const std::size_t wanted = options.baseline.empty() ? 2 : 1;
  if (options.files.size() != wanted) {
    return fail(ErrorCode::BadUse,
                wanted == 2 ? "two measurements are compared: A and B, or --a and --b" : "with --baseline it takes one file: B",
                "lapse compare before.json after.json");
  }
  if (options.save_baseline && options.baseline.empty()) {
    return fail(ErrorCode::BadUse, "--save-baseline saves nothing without --baseline", "--baseline FILE");
  }
  return wanted == 2 ? std::pair{options.files[0], options.files[1]} : std::pair{options.baseline, options.files[0]};
}

Result<Sides> measure_sides(Options& options, const Context& context) {
  if (options.live.sides[0].empty() || options.live.sides[1].empty() || !options.files.empty() || !options.baseline.empty() ||
      options.save_baseline) {
    return fail(ErrorCode::BadUse, "--a and --b go together, and with nothing that was saved",
                "lapse compare --a 'model.onnx --threads 1' --b 'model.onnx --threads 2'");
  }
  LAPSE_TRY(options.live.budget, parse_duration(options.budget));
  options.live.force = options.rules.force;
  LAPSE_TRY(LiveSides live, measure_live(options.live, context));
  report::Pair pair{"", std::move(live.sides[0]), std::move(live.sides[1]), {}};
  const auto a = report::block_medians(pair.a), b = report::block_medians(pair.b);
  for (std::size_t i = 0; i < a.size(); ++i) pair.log_ratios.push_back(stats::mean_log_ratio(a[i], b[i]));
  return Sides{options.live.sides[0], options.live.sides[1], {std::move(pair)}, {}, {}, live.interrupted};
}

Result<Sides> read_sides(const Options& options) {
  LAPSE_CHECK(options.outputs.refuse({"--save-a", "--save-b"}, "what was saved before"));
  LAPSE_TRY(const auto names, names_of_sides(options));
  return read_sides(names.first, names.second);
}

/// B, if it is sound, is what later ones are compared with.
Result<int> become_baseline(const std::string& b, const std::string& baseline) {
  LAPSE_TRY(report::Report sound, read_report(b));
  const report::Pair with_itself{"", sound, sound, {}};
  LAPSE_CHECK(report::compare(std::span(&with_itself, 1), {}));
  LAPSE_TRY(const std::string text, read_saved(b));
  LAPSE_TRY(const OutputFile file, OutputFile::open(baseline));
  LAPSE_CHECK(file.write(text));
  fmt::print(stderr, "lapse: there was no baseline: {} is it now, as {}\n", b, baseline);
  return 0;
}

int exit_status_of(const report::Comparison& comparison, bool strict) {
  if (comparison.regressed()) return kRegression;
  return strict && comparison.undecided() ? kUndecided : 0;
}

Result<int> run(Options& options, const Context& context) {
  std::vector<std::string> read = options.files;
  read.push_back(options.baseline);
  LAPSE_CHECK(options.outputs.open(read));
  std::error_code failed;
  if (options.save_baseline && !is_live(options)) {
    LAPSE_TRY(const auto names, names_of_sides(options));
    if (!fs::exists(names.first, failed)) return become_baseline(names.second, names.first);
  }
  LAPSE_TRY(Sides sides, is_live(options) ? measure_sides(options, context) : read_sides(options));
  // What was measured is saved even if it can't be compared.
  options.outputs.put("--save-a", [&] { return report::to_json_text(sides.pairs.front().a); });
  options.outputs.put("--save-b", [&] { return report::to_json_text(sides.pairs.front().b); });
  LAPSE_TRY(report::Comparison comparison, report::compare(sides.pairs, options.rules));
  comparison.created = report::created_now();
  comparison.argv = context.argv;
  comparison.a = sides.a;
  comparison.b = sides.b;
  comparison.only_a = std::move(sides.only_a);
  comparison.only_b = std::move(sides.only_b);
  comparison.interrupted = sides.interrupted;
  options.outputs.put("--json", [&] { return report::to_json_text(comparison); });
  options.outputs.put("--markdown", [&] { return report::to_markdown(comparison, context.language); });
  if (!options.outputs.takes_stdout()) fmt::print("{}", report::to_text(comparison, context.language, unicode_terminal()));
  LAPSE_CHECK(options.outputs.outcome());
  if (!sides.interrupted) return exit_status_of(comparison, options.strict);
  return fail(ErrorCode::Interrupted,
              fmt::format("interrupted after {} of {} pairs of processes", comparison.models.front().a.processes, options.live.pairs));
}

}  // namespace

Command add_compare(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  const auto command = app.add_subcommand("compare", "Tell whether B is slower than A, from what was measured of both");
  options->add_to(*command);
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
