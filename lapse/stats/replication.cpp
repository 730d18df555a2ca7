#include <algorithm>
#include <cassert>
#include <cmath>
#include <lapse/stats/moments.hpp>
#include <lapse/stats/replication.hpp>
#include <lapse/stats/student.hpp>
#include <limits>

namespace lapse::stats {
namespace {

constexpr double kHigher = (1.0 + kConfidence) / 2.0;
constexpr double kFewestRuns = 6.0;  // that a median with an interval needs
constexpr double kMostRuns = 1e6;
constexpr std::size_t kMostProcesses = 1'000'000;

/// Half the width of Student's interval of a mean of `processes` values with this variance.
double half_width(double variance, std::size_t processes) {
  const auto count = static_cast<double>(processes);
  return student_quantile(kHigher, count - 1.0) * std::sqrt(variance / count);
}

/// The fewest processes whose interval is within `precision`: it narrows with each.
std::optional<std::size_t> processes_needed(double variance, double precision) {
  if (half_width(variance, kMostProcesses) > precision) return std::nullopt;
  std::size_t enough = kMostProcesses, too_few = kFewestProcesses - 1;
  while (enough - too_few > 1) {
    const std::size_t middle = too_few + (enough - too_few) / 2;
    (half_width(variance, middle) <= precision ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace

std::optional<Estimate> across_processes(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const Moments moments = moments_of(values);
  const double half = half_width(moments.variance, values.size());
  return Estimate{moments.mean, moments.mean - half, moments.mean + half, static_cast<double>(values.size())};
}

bool known_within(std::span<const double> values, double precision) {
  constexpr std::size_t kLooks = 3;
  if (values.size() < kFewestProcesses + kLooks) return false;
  for (std::size_t look = 0; look < kLooks; ++look) {
    if (across_processes(values.first(values.size() - look))->relative_error() > precision) return false;
  }
  return true;
}

ProcessFigure process_figure(const Estimate& estimate, std::size_t runs) {
  static const double kNormal = student_quantile(kHigher, std::numeric_limits<double>::infinity());
  return {estimate.value, (estimate.high - estimate.low) / (2.0 * kNormal * estimate.value), runs};
}

std::optional<Components> variance_components(std::span<const ProcessFigure> processes) {
  if (processes.size() < 2) return std::nullopt;
  std::vector<double> logs;
  double squares = 0.0, of_a_run = 0.0, known = 0.0;
  for (const ProcessFigure& process : processes) {
    logs.push_back(std::log(process.value));
    if (!std::isfinite(process.relative_error)) continue;
    const double square = process.relative_error * process.relative_error;
    squares += square;
    of_a_run += square * static_cast<double>(process.runs);
    known += 1.0;
  }
  if (known == 0.0) return std::nullopt;
  return Components{of_a_run / known, std::max(0.0, moments_of(logs).variance - squares / known)};
}

std::optional<Plan> plan(const Components& components, const Cost& cost, double precision) {
  assert(precision > 0.0 && cost.process > 0.0 && cost.run > 0.0);
  double runs = kMostRuns;  // where processes don't differ, one would do
  if (components.between > 0.0) runs = std::ceil(std::sqrt(cost.process / cost.run * components.within / components.between));
  runs = std::clamp(runs, kFewestRuns, kMostRuns);
  const auto processes = processes_needed(components.between + components.within / runs, precision);
  if (!processes) return std::nullopt;
  // So many processes are a little better than asked for, or the fewest that there must be: then fewer runs are enough.
  const auto count = static_cast<double>(*processes);
  const double allowed = std::pow(precision / student_quantile(kHigher, count - 1.0), 2.0) * count - components.between;
  if (allowed > 0.0) runs = std::clamp(std::ceil(components.within / allowed), kFewestRuns, runs);
  return Plan{*processes, static_cast<std::size_t>(runs), count * (cost.process + runs * cost.run)};
}

}  // namespace lapse::stats
