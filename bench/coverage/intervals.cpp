#include "bench/coverage/intervals.hpp"

#include <cmath>
#include <ctime>
#include <lapse/measure/run.hpp>
#include <lapse/stats/summary.hpp>
#include <stdexcept>
#include <vector>

#include "bench/coverage/replicates.hpp"
#include "bench/coverage/subject.hpp"

namespace lapse::bench {
namespace {

struct Outcome {
  stats::QuantileEstimate median, p99;
  stats::Course verdict{};
  std::size_t runs = 0, discarded = 0;
};

measuring::Plan plan_of(const Family& family) {
  measuring::Plan plan;
  plan.percentile = 0.99;
  if (!family.steady()) plan.min_runs = plan.max_runs = kUnsteadyRuns;
  return plan;
}

Outcome measure_once(const Family& family, std::uint64_t seed) {
  SeriesSubject subject{family.series(seed)};
  const auto measured = measuring::run(subject, plan_of(family));
  if (!measured) throw std::runtime_error(measured.error().message);
  std::vector<double> series;
  series.reserve(measured->samples.size());
  for (const measuring::Sample& sample : measured->samples) series.push_back(static_cast<double>(sample.end_to_end.count()));
  const stats::Summary summary = stats::summarise(series);
  return {summary.median, summary.p99, measured->verdict(), series.size(), measured->warmup.discarded};
}

bool unsteady(stats::Course verdict, const Family& family) {
  if (verdict == stats::Course::WarmUp) return !family.warms_up;
  return verdict == stats::Course::Slowdown || verdict == stats::Course::NoSteadyState;
}

void add(Coverage& coverage, const stats::QuantileEstimate& estimate, double truth) {
  coverage.given.count(estimate.has_value());
  if (!estimate) return;
  coverage.covered.count(estimate->low <= truth && truth <= estimate->high);
  coverage.width += (estimate->high - estimate->low) / truth;
}

}  // namespace

Ours measure(const Family& family, std::size_t replicates, std::size_t jobs, std::uint64_t seed) {
  const std::clock_t begin = std::clock();  // of all threads
  const auto outcomes = replicate(replicates, jobs, [&](std::size_t i) { return measure_once(family, seed_of(seed, family.name, i)); });
  const double spent = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;

  Ours ours;
  ours.seconds = spent / static_cast<double>(replicates);
  for (const Outcome& outcome : outcomes) {
    if (family.steady()) {
      const double base = static_cast<double>(kBase.count());
      add(ours.median, outcome.median, base * family.quantile(0.5));
      add(ours.p99, outcome.p99, base * family.quantile(0.99));
    }
    ours.verdicts[std::string(name(outcome.verdict))].hits++;
    ours.flagged.count(unsteady(outcome.verdict, family));
    ours.runs += static_cast<double>(outcome.runs) / static_cast<double>(replicates);
    ours.discarded += static_cast<double>(outcome.discarded) / static_cast<double>(replicates);
  }
  for (auto& [verdict, share] : ours.verdicts) share.of = replicates;
  for (Coverage* coverage : {&ours.median, &ours.p99}) coverage->width /= static_cast<double>(coverage->covered.of);
  return ours;
}

Theirs measure(const PeerRule& rule, const Family& family, std::size_t replicates, std::size_t jobs, std::uint64_t seed) {
  const double truth = rule.estimand == Estimand::Mean ? family.mean : family.quantile(0.5);
  const auto outcomes = replicate(replicates, jobs, [&](std::size_t i) {
    const std::uint64_t own = seed_of(seed, family.name, i);
    return rule.measure(family.series(own), own);
  });
  Theirs theirs;
  for (const PeerMeasured& outcome : outcomes) {
    theirs.runs += static_cast<double>(outcome.runs) / static_cast<double>(replicates);
    theirs.interval.given.count(!std::isnan(outcome.low));
    if (std::isnan(outcome.low)) continue;
    theirs.interval.covered.count(outcome.low <= truth && truth <= outcome.high);
    theirs.interval.width += (outcome.high - outcome.low) / truth / static_cast<double>(replicates);
  }
  return theirs;
}

}  // namespace lapse::bench
