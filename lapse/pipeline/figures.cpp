#include <algorithm>
#include <lapse/pipeline/figures.hpp>
#include <lapse/stats/quantile.hpp>
#include <numeric>
#include <span>

namespace lapse::pipeline {
namespace {

double nanoseconds(Duration duration) { return static_cast<double>(duration.count()); }

double threads_of(Step step, const OverlapPlan& plan) { return step == Step::Prepare ? static_cast<double>(plan.workers) : 1.0; }

double busy(const Round& round, Step step) {
  double sum = 0;
  for (const BatchTimes& times : round.batches) sum += nanoseconds(times.at(step).end - times.at(step).begin);
  return sum;
}

PairedRatio median_of(std::vector<double> ratios) {
  std::ranges::sort(ratios);
  PairedRatio result{stats::quantile(ratios, 0.5), stats::rank_interval(ratios.size(), 0.5)};
  if (result.ranks) {
    result.low = ratios[result.ranks->lower - 1];
    result.high = ratios[result.ranks->upper - 1];
  }
  return result;
}

WayFigures way(std::span<const Round> rounds, const std::vector<Step>& steps, const OverlapPlan& plan) {
  WayFigures result;
  double items = 0, time = 0, batches = 0;
  std::vector<double> latencies;
  for (const Round& round : rounds) {
    items += static_cast<double>(round.items);
    time += nanoseconds(round.duration);
    batches += static_cast<double>(round.batches.size());
    for (const BatchTimes& times : round.batches) latencies.push_back(nanoseconds(times.latency()));
  }
  result.throughput_per_s = time > 0 ? items * 1e9 / time : 0;
  result.latency = stats::summarise(latencies);
  for (const Step step : steps) {
    const double sum =
        std::transform_reduce(rounds.begin(), rounds.end(), 0.0, std::plus{}, [&](const Round& round) { return busy(round, step); });
    result.busy_ns.push_back(sum / batches);
    result.utilisation.push_back(time > 0 ? sum / time / threads_of(step, plan) : 0);
  }
  return result;
}

}  // namespace

OverlapFigures figures(const Overlap& overlap, const OverlapPlan& plan) {
  const auto synchronous = std::span(overlap.synchronous).subspan(1), asynchronous = std::span(overlap.asynchronous).subspan(1);
  OverlapFigures result{way(synchronous, overlap.steps, plan), way(asynchronous, overlap.steps, plan), {}, {}, {}, {}};

  const auto bound_of = [&](const Round& round, Step step) { return busy(round, step) / threads_of(step, plan); };
  const auto bound_of_all = [&](Step step) {
    return std::transform_reduce(synchronous.begin(), synchronous.end(), 0.0, std::plus{},
                                 [&](const Round& round) { return bound_of(round, step); });
  };
  result.bound = *std::ranges::max_element(overlap.steps, {}, bound_of_all);
  const auto items = std::transform_reduce(synchronous.begin(), synchronous.end(), 0.0, std::plus{},
                                           [](const Round& round) { return static_cast<double>(round.items); });
  const double least = bound_of_all(result.bound);
  result.bound_per_s = least > 0 ? items * 1e9 / least : 0;

  std::vector<double> speedups, efficiencies;
  for (std::size_t i = 0; i < synchronous.size(); ++i) {
    const double time = nanoseconds(asynchronous[i].duration);
    speedups.push_back(nanoseconds(synchronous[i].duration) / time);
    efficiencies.push_back(bound_of(synchronous[i], result.bound) / time);
  }
  result.speedup = median_of(std::move(speedups));
  result.efficiency = median_of(std::move(efficiencies));
  return result;
}

}  // namespace lapse::pipeline
