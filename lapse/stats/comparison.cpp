#include <algorithm>
#include <cassert>
#include <cmath>
#include <lapse/stats/comparison.hpp>
#include <lapse/stats/moments.hpp>
#include <lapse/stats/student.hpp>
#include <numeric>

namespace lapse::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kFalseAlarms = 1.0 - kConfidence;

/// The mean logarithm of one side, and the variance of that mean.
struct Level {
  double log = 0.0;
  double variance = 0.0;
  double degrees = kInfinity;
  Basis basis = Basis::Processes;
};

Level level_of(std::span<const ProcessFigure> processes, std::optional<double> noise) {
  assert(!processes.empty());
  std::vector<double> logs, squares;
  for (const ProcessFigure& process : processes) {
    logs.push_back(std::log(process.value));
    squares.push_back(process.relative_error * process.relative_error);
  }
  const Moments moments = moments_of(logs);
  const auto count = static_cast<double>(processes.size());
  const double within = std::accumulate(squares.begin(), squares.end(), 0.0) / count;
  if (processes.size() >= kFewestProcesses) return {moments.mean, moments.variance / count, count - 1.0, Basis::Processes};
  if (noise) return {moments.mean, (*noise * *noise + within) / count, kInfinity, Basis::GivenNoise};
  if (processes.size() > 1) return {moments.mean, moments.variance / count, count - 1.0, Basis::FewProcesses};
  return {moments.mean, within, kInfinity, Basis::ThisProcess};
}

double welch_degrees(const Level& a, const Level& b) {
  const double sum = a.variance + b.variance;
  const double parts = a.variance * a.variance / a.degrees + b.variance * b.variance / b.degrees;
  return parts > 0.0 ? sum * sum / parts : kInfinity;
}

double p_value(const Contrast& contrast) {
  if (contrast.log_ratio == 0.0 || std::isinf(contrast.standard_error)) return 1.0;
  return student_two_sided(contrast.log_ratio / contrast.standard_error, contrast.degrees);  // infinite without any spread: 0
}

Decision with_interval(const Contrast& contrast, double confidence) {
  Decision decision;
  decision.ratio = std::exp(contrast.log_ratio);
  decision.confidence = confidence;
  if (std::isinf(contrast.standard_error)) return decision;
  const double half = student_quantile((1.0 + confidence) / 2.0, contrast.degrees) * contrast.standard_error;
  decision.low = std::exp(contrast.log_ratio - half);
  decision.high = std::exp(contrast.log_ratio + half);
  return decision;
}

Change change_of(const Decision& decision, double margin) {
  if (decision.low >= 1.0 - margin && decision.high <= 1.0 + margin) return Change::Equivalent;
  if (decision.low > 1.0) return Change::Slower;
  return decision.high < 1.0 ? Change::Faster : Change::Undecided;
}

}  // namespace

std::string_view name(Basis basis) noexcept {
  switch (basis) {
    case Basis::ThisProcess:
      return "this-process";
    case Basis::FewProcesses:
      return "few-processes";
    case Basis::GivenNoise:
      return "given-noise";
    case Basis::Processes:
      break;
  }
  return "processes";
}

std::string_view name(Change change) noexcept {
  switch (change) {
    case Change::Faster:
      return "faster";
    case Change::Slower:
      return "slower";
    case Change::Equivalent:
      return "equivalent";
    case Change::Undecided:
      break;
  }
  return "undecided";
}

double mean_log_ratio(std::span<const double> a_blocks, std::span<const double> b_blocks) {
  assert(a_blocks.size() == b_blocks.size() && !a_blocks.empty());
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a_blocks.size(); ++i) ratios.push_back(std::log(b_blocks[i] / a_blocks[i]));
  std::ranges::sort(ratios);
  const std::size_t left_out = ratios.size() / 4;
  return moments_of(std::span(ratios).subspan(left_out, ratios.size() - 2 * left_out)).mean;
}

Contrast paired(std::span<const double> log_ratios) {
  assert(!log_ratios.empty());
  const Moments moments = moments_of(log_ratios);
  if (log_ratios.size() < 2) return {moments.mean, kInfinity, kInfinity, Basis::ThisProcess};
  const auto count = static_cast<double>(log_ratios.size());
  const Basis basis = log_ratios.size() >= kFewestProcesses ? Basis::Processes : Basis::FewProcesses;
  return {moments.mean, std::sqrt(moments.variance / count), count - 1.0, basis};
}

Contrast independent(std::span<const ProcessFigure> a, std::span<const ProcessFigure> b, std::optional<double> noise) {
  const Level left = level_of(a, noise), right = level_of(b, noise);
  return {right.log - left.log, std::sqrt(left.variance + right.variance), welch_degrees(left, right), std::min(left.basis, right.basis)};
}

std::vector<Decision> decide(std::span<const Contrast> contrasts, double margin) {
  std::vector<Decision> decisions;
  std::vector<std::size_t> order;  // of what can be decided, the smallest p first
  std::vector<double> p;
  for (const Contrast& contrast : contrasts) {
    if (contrast.decidable()) order.push_back(decisions.size());
    decisions.push_back(with_interval(contrast, kConfidence));
    p.push_back(p_value(contrast));
  }
  std::ranges::stable_sort(order, {}, [&p](std::size_t i) { return p[i]; });
  // Each is tested at 5 % over the number that is left, and after the first that is not rejected none is. The interval has the level of the
  // test, so that the two say the same.
  std::size_t left = order.size();
  double adjusted = 0.0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const std::size_t i = order[rank];
    adjusted = std::max(adjusted, std::min(1.0, p[i] * static_cast<double>(order.size() - rank)));
    decisions[i] = with_interval(contrasts[i], 1.0 - kFalseAlarms / static_cast<double>(left));
    decisions[i].p = adjusted;
    decisions[i].change = change_of(decisions[i], margin);
    if (adjusted <= kFalseAlarms) --left;
  }
  return decisions;
}

const NamedQuantile* tail_quantile(std::size_t runs) {
  const NamedQuantile* highest = nullptr;
  for (const char* name : {"p90", "p95", "p99"}) {
    const NamedQuantile* quantile = find_quantile(name);
    if (static_cast<double>(runs) * (1.0 - quantile->p) >= 2.0 - 1e-9) highest = quantile;
  }
  return highest;
}

}  // namespace lapse::stats
