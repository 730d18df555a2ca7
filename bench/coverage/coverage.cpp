// What the tool's intervals, verdicts and comparisons are worth, on series whose truth is known; and those of others on the same series.
//   bench_coverage [--replicates 2000] [--parts ours,theirs,compare] [--families normal,ar-0.9] [--machines quiet] [--jobs 2] [--seed 1]
//                  [--json FILE]
// Exit status 1: a rate of ours missed its goal.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "bench/coverage/report.hpp"

namespace {

using namespace lapse::bench;

struct Options {
  std::size_t replicates = 2000, jobs = 2;
  std::uint64_t seed = 1;
  std::vector<std::string> parts{"ours", "theirs", "compare"}, families, machines;
  std::string json;
};

bool chosen(const std::vector<std::string>& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

template <class Named>
std::vector<std::string> names_of(const Named& all) {
  std::vector<std::string> names;
  for (const auto& named : all) names.emplace_back(named.name);
  return names;
}

Report measure_all(const Options& options) {
  Report report(options.replicates, options.seed);
  if (chosen(options.parts, "ours")) {
    report.begin_ours();
    for (const Family& family : families()) {
      if (chosen(options.families, family.name)) report.add(family, measure(family, options.replicates, options.jobs, options.seed));
    }
  }
  if (chosen(options.parts, "theirs")) {
    report.begin_theirs();
    for (const Family& family : families()) {
      if (!family.steady() || !chosen(options.families, family.name)) continue;
      std::vector<Theirs> rules;
      for (const PeerRule& rule : peer_rules()) {
        rules.push_back(measure(rule, family, options.replicates, options.jobs, options.seed));
      }
      report.add(family, rules);
    }
  }
  if (chosen(options.parts, "compare")) {
    report.begin_comparison();
    for (const Scenario& scenario : scenarios()) {
      if (chosen(options.machines, scenario.name)) report.add(scenario, detect(scenario, options.replicates, options.jobs, options.seed));
    }
  }
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What lapse's intervals, verdicts and comparisons are worth"};
  Options options;
  options.families = names_of(families());
  options.machines = names_of(scenarios());
  const auto list = [&](const char* name, std::vector<std::string>& values, const char* help) {
    app.add_option(name, values, help)->delimiter(',')->capture_default_str()->check(CLI::IsMember(values));
  };
  list("--parts", options.parts, "what is measured");
  list("--families", options.families, "of series, for the first two parts");
  list("--machines", options.machines, "for the third");
  app.add_option("--replicates", options.replicates, "of each")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--jobs", options.jobs, "threads")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--json", options.json, "file for the counts");
  CLI11_PARSE(app, argc, argv);

  try {
    const Report report = measure_all(options);
    if (!options.json.empty()) std::ofstream(options.json) << report.json().dump(1) << '\n';
    fmt::print("\n{} of ours missed the goal{}\n", report.missed().size(), report.missed().empty() ? "" : ":");
    for (const std::string& line : report.missed()) fmt::print("  {}\n", line);
    return report.missed().empty() ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_coverage: {}\n", error.what());
    return 2;
  }
}
