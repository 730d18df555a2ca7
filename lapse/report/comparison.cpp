#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <lapse/report/comparison.hpp>
#include <lapse/report/processes.hpp>

namespace lapse::report {
namespace {

using Runs = std::span<const double>;
using stats::NamedQuantile;
using stats::ProcessFigure;

constexpr double kUnknown = std::numeric_limits<double>::infinity();

ProcessFigure figure(Runs runs, const NamedQuantile& quantile) {
  const stats::Summary summary = stats::summarise(runs);
  if (const stats::QuantileEstimate& estimate = summary.*quantile.estimate) return stats::process_figure(*estimate, runs.size());
  std::vector<double> sorted(runs.begin(), runs.end());
  std::ranges::sort(sorted);
  return {stats::quantile(sorted, quantile.p), kUnknown, runs.size()};
}

/// One quantile of each process.
struct Figures {
  std::vector<ProcessFigure> a, b;

  bool all(bool (*holds)(const ProcessFigure&)) const { return std::ranges::all_of(a, holds) && std::ranges::all_of(b, holds); }
  /// Each process knows its own error.
  bool known() const {
    return all([](const ProcessFigure& each) { return std::isfinite(each.relative_error); });
  }
  bool positive() const {
    return all([](const ProcessFigure& each) { return each.value > 0.0; });
  }
};

double geometric_mean(std::span<const ProcessFigure> figures) {
  double sum = 0.0;
  for (const ProcessFigure& each : figures) sum += std::log(each.value);
  return std::exp(sum / static_cast<double>(figures.size()));
}

/// The processes of a pair, and what can be read off them.
class Processes {
 public:
  Processes(const Pair& pair, std::optional<double> noise)
      : a_(per_process(pair.a)), b_(per_process(pair.b)), log_ratios_(pair.log_ratios), noise_(noise) {
    for (const auto& side : {a_, b_}) {
      for (const Runs runs : side) fewest_ = std::min(fewest_, runs.size());
    }
  }

  std::size_t fewest_runs() const { return fewest_; }

  Figures median() const {
    return figures(*stats::find_quantile("p50"), [](Runs runs) { return runs; });
  }

  /// Of each process as many runs as the shortest has, the last ones: a quantile far out depends on how many there are.
  std::optional<std::pair<std::string, Figures>> tail() const {
    for (const char* name : {"p99", "p95", "p90"}) {
      const NamedQuantile* highest = stats::tail_quantile(fewest_);
      const NamedQuantile& quantile = *stats::find_quantile(name);
      if (highest == nullptr || quantile.p > highest->p) continue;
      Figures found = figures(quantile, [this](Runs runs) { return runs.last(fewest_); });
      if (replicated() || found.known()) return std::pair{std::string(name), std::move(found)};
    }
    return std::nullopt;
  }
  std::size_t tail_needs() const { return replicated() ? stats::kFewestRunsForTail : stats::runs_needed(stats::find_quantile("p90")->p); }

  stats::Contrast contrast_of_medians(const Figures& medians) const {
    return log_ratios_.empty() ? stats::independent(medians.a, medians.b, noise_) : stats::paired(log_ratios_);
  }
  stats::Contrast contrast_of_tails(const Figures& tails) const {
    if (log_ratios_.empty()) return stats::independent(tails.a, tails.b, noise_);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < tails.a.size(); ++i) ratios.push_back(std::log(tails.b[i].value / tails.a[i].value));
    return stats::paired(ratios);
  }

  std::size_t fewer_processes() const { return std::min(a_.size(), b_.size()); }

 private:
  /// The spread between the processes tells their error.
  bool replicated() const { return !log_ratios_.empty() || fewer_processes() >= stats::kFewestProcesses; }

  template <class Part>
  Figures figures(const NamedQuantile& quantile, Part part) const {
    Figures out;
    for (const Runs runs : a_) out.a.push_back(figure(part(runs), quantile));
    for (const Runs runs : b_) out.b.push_back(figure(part(runs), quantile));
    return out;
  }

  std::vector<Runs> a_, b_;
  std::span<const double> log_ratios_;
  std::optional<double> noise_;
  std::size_t fewest_ = std::numeric_limits<std::size_t>::max();
};

ComparedSide side(const Report& report) {
  ComparedSide out{report.created, report.subject, std::max<std::size_t>(report.processes.size(), 1), 0, report.samples.end_to_end.size()};
  const auto unsteady = [&report](std::string_view verdict) {
    return verdict == "no-steady-state" || (verdict == "warm-up" && report.plan.warmup_asked);
  };
  out.unsteady = report.processes.empty()
                     ? (unsteady(report.plan.warmup_verdict) ? 1 : 0)
                     : static_cast<std::size_t>(std::ranges::count_if(report.processes, unsteady, &ProcessRow::verdict));
  return out;
}

std::vector<Difference> differences(const Report& a, const Report& b) {
  std::vector<Difference> out;
  const auto add = [&](const char* key, const std::string& left, const std::string& right) {
    if (left != right) out.push_back({key, left, right});
  };
  add("model", a.subject.model, b.subject.model);
  add("engine", a.subject.engine, b.subject.engine);
  add("engine_version", a.subject.engine_version, b.subject.engine_version);
  add("threads", std::to_string(a.subject.threads), std::to_string(b.subject.threads));
  add("graph", fmt::format("{}", a.subject.graph), fmt::format("{}", b.subject.graph));
  add("streams", std::to_string(a.subject.streams), std::to_string(b.subject.streams));
  add("answer", a.answer.verdict, b.answer.verdict);
  add("driver", a.device.driver, b.device.driver);
  add("runtime", a.device.runtime, b.device.runtime);
  add("cpus_allowed", std::to_string(a.environment.cpus_allowed), std::to_string(b.environment.cpus_allowed));
  add("kernel", a.environment.kernel, b.environment.kernel);
  add("libc", a.environment.libc, b.environment.libc);
  add("governor", a.environment.governor, b.environment.governor);
  add("lapse_version", a.environment.lapse_version, b.environment.lapse_version);
  return out;
}

Error in_pair(const Pair& pair, const std::string& message, std::string hint) {
  return {ErrorCode::BadInput, pair.name.empty() ? message : pair.name + ": " + message, std::move(hint)};
}

Result<ComparedModel> model(const Pair& pair, const ComparisonRules& rules) {
  ComparedModel out;
  out.name = pair.name;
  out.a = side(pair.a);
  out.b = side(pair.b);
  out.turns = !pair.log_ratios.empty();
  out.differences = differences(pair.a, pair.b);
  const Processes processes(pair, rules.noise);
  if (processes.fewest_runs() == 0) {
    return tl::unexpected(in_pair(pair, "there are no samples to compare", "measure it again: a process made no timed run"));
  }
  const auto near_clock = [](const Report& report) {
    return std::ranges::find(report.warnings, "timer_resolution", &measuring::Warning::code) != report.warnings.end();
  };
  out.near_clock = near_clock(pair.a) || near_clock(pair.b);
  out.forced = obstacles(pair);
  if (!rules.force) LAPSE_CHECK(comparable(pair));
  const auto add = [&out](std::string name, const Figures& figures, const stats::Contrast& contrast) {
    out.metrics.push_back({std::move(name), geometric_mean(figures.a), geometric_mean(figures.b), contrast, {}, 0});
  };
  const Figures medians = processes.median();
  if (!medians.positive())
    return tl::unexpected(in_pair(pair, "a median is 0 ns: it has no ratio", "measure longer work, or more of it at once"));
  add("median", medians, processes.contrast_of_medians(medians));
  if (const auto tail = processes.tail(); tail && tail->second.positive()) {
    add(tail->first, tail->second, processes.contrast_of_tails(tail->second));
  } else {
    out.tail_needs = processes.tail_needs();
  }
  return out;
}

/// For an interval of ± `margin`, from the spread that these processes had.
std::size_t processes_needed(const ComparedMetric& metric, const ComparedModel& model, double margin) {
  if (metric.contrast.basis < stats::Basis::FewProcesses || metric.contrast.basis == stats::Basis::GivenNoise || margin <= 0.0) return 0;
  const std::size_t had = std::min(model.a.processes, model.b.processes);
  const double variance = metric.contrast.standard_error * metric.contrast.standard_error * static_cast<double>(had);
  const auto plan = stats::plan({0.0, variance}, {1.0, 1.0}, margin);
  return plan && plan->processes > had ? plan->processes : 0;
}

}  // namespace

Result<void> comparable(const Pair& pair) {
  const auto found = obstacles(pair);
  if (found.empty()) return {};
  const bool broken = found.front().facts.contains("side");
  return tl::unexpected(in_pair(
      pair, say(found.front(), Language::English),
      broken ? "measure it again; --force compares all the same" : "measure both alike, on one machine; --force compares all the same"));
}

bool Comparison::regressed() const {
  return std::ranges::any_of(models, [](const ComparedModel& model) {
    return std::ranges::any_of(model.metrics, [](const ComparedMetric& metric) { return metric.decision.change == stats::Change::Slower; });
  });
}

bool Comparison::undecided() const {
  return std::ranges::any_of(models, [](const ComparedModel& model) {
    return std::ranges::any_of(model.metrics,
                               [](const ComparedMetric& metric) { return metric.decision.change == stats::Change::Undecided; });
  });
}

Result<Comparison> compare(std::span<const Pair> pairs, const ComparisonRules& rules) {
  Comparison out;
  out.environment = pairs.front().b.environment;
  out.rules = rules;
  std::vector<stats::Contrast> contrasts;
  for (const Pair& pair : pairs) {
    LAPSE_TRY(ComparedModel compared, model(pair, rules));
    for (const ComparedMetric& metric : compared.metrics) contrasts.push_back(metric.contrast);
    out.models.push_back(std::move(compared));
  }
  const auto decisions = stats::decide(contrasts, rules.margin);
  auto decision = decisions.begin();
  for (ComparedModel& model : out.models) {
    for (ComparedMetric& metric : model.metrics) {
      metric.decision = *decision++;
      if (model.near_clock && metric.decision.change == stats::Change::Equivalent) metric.decision.change = stats::Change::Undecided;
      if (metric.decision.change == stats::Change::Undecided) metric.processes_needed = processes_needed(metric, model, rules.margin);
    }
  }
  return out;
}

}  // namespace lapse::report
