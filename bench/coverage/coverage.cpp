// What the tool's intervals and verdicts are worth, on series whose truth is known.
//   bench_coverage [--replicates 2000] [--families normal,ar-0.9] [--jobs 2] [--seed 1] [--json FILE]
// Prints a table (markdown). Every rate stands with its Monte-Carlo error, 95 %.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ours.hpp"

namespace {

using namespace lapse::bench;

std::string percent(const Rate& rate) {
  if (rate.of == 0) return "-";
  return fmt::format("{:.1f} [{:.1f}, {:.1f}]", 100 * rate.value(), 100 * rate.low(), 100 * rate.high());
}

std::string width(const Coverage& coverage) { return coverage.covered.of == 0 ? "-" : fmt::format("{:.2f}", 100 * coverage.width); }

std::string verdicts(const Ours& ours) {
  std::string text;
  for (const auto& [verdict, share] : ours.verdicts)
    text += fmt::format("{}{} {:.1f}", text.empty() ? "" : ", ", verdict, 100 * share.value());
  return text;
}

void print_row(const Family& family, const Ours& ours) {
  fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {:.0f} | {:.0f} | {:.2f} |\n", family.name, percent(ours.median.covered),
             width(ours.median), percent(ours.p99.covered), width(ours.p99), family.steady() ? percent(ours.p99.given) : "-",
             percent(ours.flagged), verdicts(ours), ours.runs, ours.discarded, 1e3 * ours.seconds);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Coverage of lapse's intervals, and how often its verdicts are right"};
  std::size_t replicates = 2000, jobs = 2;
  std::uint64_t seed = 1;
  std::vector<std::string> chosen;
  std::vector<std::string> names;
  for (const Family& family : families()) names.emplace_back(family.name);
  app.add_option("--replicates", replicates, "of each family")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--families", chosen, "those alone")->delimiter(',')->check(CLI::IsMember(names));
  app.add_option("--jobs", jobs, "threads")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--seed", seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  fmt::print("All rates in %, with their 95 % Monte-Carlo interval over {} replicates. Width: mean of (high - low) / true value, %.\n\n",
             replicates);
  fmt::print("| family | median covered | width | p99 covered | width | p99 given | flagged | verdicts | runs | discarded | CPU ms |\n");
  fmt::print("|-|-|-|-|-|-|-|-|-|-|-|\n");
  for (const Family& family : families()) {
    if (!chosen.empty() && std::ranges::find(chosen, family.name) == chosen.end()) continue;
    print_row(family, measure(family, replicates, jobs, seed));
  }
}
