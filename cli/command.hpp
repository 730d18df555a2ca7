#pragma once
// A subcommand: it adds itself to the command line, and runs if it was called.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <lapse/report/render.hpp>
#include <string>
#include <vector>

namespace lapse::cli {

/// What every subcommand may ask for.
struct Context {
  std::string language_option;  // --lang; empty: by the environment
  report::Language language = report::Language::English;
  std::vector<std::string> argv;
};

/// Refuses what lies outside, and NaN, which CLI::Range lets pass; and leaves --help alone.
inline CLI::Validator number_between(double low, double high) {
  const auto check = [low, high](const std::string& text) -> std::string {
    double value = 0;
    const bool inside = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
    return inside ? "" : fmt::format("'{}' is not a number from {:g} to {:g}", text, low, high);
  };
  return {check, "", "number_between"};
}

/// Exit statuses that are answers and not errors (those: exit_status of lapse/base/error.hpp).
inline constexpr int kRegression = 1;  // what is compared got slower
inline constexpr int kUndecided = 5;   // with --strict: undecided, or not steady

/// Returns the exit status.
using Command = std::function<int()>;

/// Each adds one subcommand to `app`; the command is to be run when the subcommand was parsed. `context` outlives it.
Command add_time(CLI::App& app, Context& context);
Command add_check(CLI::App& app, Context& context);
Command add_compare(CLI::App& app, Context& context);
Command add_show(CLI::App& app, Context& context);
Command add_stats(CLI::App& app, Context& context);
Command add_doctor(CLI::App& app, Context& context);
Command add_engines(CLI::App& app, Context& context);
Command add_upscale(CLI::App& app, Context& context);
Command add_sweep(CLI::App& app, Context& context);
Command add_pipeline(CLI::App& app, Context& context);
// Only where lapse is built with its serving half (LAPSE_SERVE):
Command add_backup(CLI::App& app, Context& context);
Command add_serve(CLI::App& app, Context& context);
Command add_work(CLI::App& app, Context& context);
Command add_token(CLI::App& app, Context& context);
Command add_top(CLI::App& app, Context& context);

}  // namespace lapse::cli
