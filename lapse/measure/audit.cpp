#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <lapse/measure/audit.hpp>

namespace lapse::measuring {
namespace {

constexpr double kTailFactor = 2.0;    // p99 beyond twice the median: a person notices
constexpr double kStealShare = 0.01;   // as much as the default precision
constexpr double kOthersShare = 0.05;  // a twentieth of the machine: desktops idle below it
constexpr double kClockShare = 0.05;   // the clock's own cost as a share of the median

std::string percent(double share) { return share < 0.1 ? fmt::format("{:.2g} %", 100 * share) : fmt::format("{:.0f} %", 100 * share); }
// As --budget takes it, rounded up.
std::string budget(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f}ms", std::ceil(1e3 * seconds));
  return seconds < 90 ? fmt::format("{:.0f}s", std::ceil(seconds)) : fmt::format("{:.0f}m", std::ceil(seconds / 60));
}
std::string factor(double value) { return fmt::format("{:.3g}", value); }

Warning warning(std::string code, std::map<std::string, std::string> facts = {}) { return {std::move(code), std::move(facts)}; }

class Audit {
 public:
  Audit(const Plan& plan, const Timing& timing, const Summaries& summaries, const host::Fingerprint& machine)
      : plan_(plan), timing_(timing), summary_(summaries), machine_(machine) {}

  Warnings operator()() {
    check_stop();
    check_course();
    check_latency();
    check_device();
    check_machine();
    return std::move(warnings_);
  }

 private:
  void warn(std::string code, std::map<std::string, std::string> facts = {}) {
    warnings_.push_back(warning(std::move(code), std::move(facts)));
  }

  void check_stop() {
    const Measurement& measurement = timing_.measurement;
    const std::size_t runs = measurement.samples.size();
    if (measurement.stop == Stop::Interrupted || measurement.stop == Stop::Failed) return;
    const auto& median = summary_.end_to_end.median;
    if (!median) return warn("few_runs", {{"runs", std::to_string(runs)}, {"needed", std::to_string(median.error().runs)}});
    const double reached = median->relative_error();
    if (reached <= plan_.precision) return;
    std::map<std::string, std::string> facts{{"reached", percent(reached)},
                                             {"asked", percent(plan_.precision)},
                                             {"runs", std::to_string(runs)},
                                             {"budget", budget(std::chrono::duration<double>(plan_.budget).count())}};
    if (measurement.stop == Stop::MaxRuns) return warn("max_runs_reached", std::move(facts));
    // The width of an interval falls with the root of the number of runs.
    const double seconds = std::chrono::duration<double>(plan_.budget).count() * std::pow(reached / plan_.precision, 2);
    facts["suggest"] = budget(seconds);
    warn("precision_not_reached", std::move(facts));
  }

  // The timed runs hold more than one level, or the warm-up that the user did not ask to discard.
  void check_course() {
    const Measurement& measurement = timing_.measurement;
    const stats::Steadiness& course = measurement.course;
    if (course.verdict == stats::Course::Flat || course.verdict == stats::Course::TooShort) return;
    if (course.verdict == stats::Course::WarmUp) {
      if (!measurement.warmup.asked || !measurement.blocks.empty()) return;  // of turns the comparison tells
      const std::size_t runs = measurement.warmup.discarded, cold = course.steady_from;
      return warn("warmup_too_short",
                  {{"runs", std::to_string(runs)}, {"cold", std::to_string(cold)}, {"suggest", std::to_string(runs + cold)}});
    }
    if (course.cycle > 0) return warn("cycle", {{"runs", fmt::format("{:.0f}", course.cycle)}});
    const auto [low, high] = std::ranges::minmax(course.segments, {}, &stats::Segment::median);
    const double last = course.segments.back().median;
    if (course.verdict == stats::Course::Slowdown) {
      return warn("slowdown", {{"first", format_nanoseconds(low.median)},
                               {"second", format_nanoseconds(last)},
                               {"percent", percent(last / low.median - 1)},
                               {"runs", std::to_string(course.steady_from)}});
    }
    std::map<std::string, std::string> facts;
    if (low.median < high.median) facts = {{"low", format_nanoseconds(low.median)}, {"high", format_nanoseconds(high.median)}};
    warn("no_steady_state", std::move(facts));
  }

  void check_latency() {
    const auto& whole = summary_.end_to_end;
    if (!whole.median) return;
    const double median = whole.median->value;
    if (whole.p99 && whole.p99->value > kTailFactor * median) {
      warn("slow_tail", {{"p99", format_nanoseconds(whole.p99->value)},
                         {"median", format_nanoseconds(median)},
                         {"factor", factor(whole.p99->value / median)}});
    }
    if (static_cast<double>(timing_.clock_cost.count()) > kClockShare * median) {
      warn("timer_resolution", {{"median", format_nanoseconds(median)}, {"resolution", format(timing_.clock_cost)}});
    }
  }

  void check_machine() {
    const host::Disturbance& disturbance = timing_.disturbance;
    if (disturbance.steal > kStealShare) warn("steal", {{"percent", percent(disturbance.steal)}});
    if (disturbance.others > kOthersShare) {
      warn("busy_machine", {{"percent", percent(disturbance.others)}, {"load", fmt::format("{:.2f}", timing_.load_1min)}});
    }
    if (disturbance.throttled > 0) {
      std::map<std::string, std::string> facts{{"periods", std::to_string(disturbance.throttled)}};
      if (machine_.cpu_limit) facts["limit"] = fmt::format("{:.3g}", *machine_.cpu_limit);
      warn("throttled", std::move(facts));
    }
    if (!machine_.governor.empty() && machine_.governor != "performance") warn("governor", {{"governor", machine_.governor}});
    if (machine_.build_type == "Debug") warn("debug_build");
  }

  void check_device() {
    for (const Finding& finding : timing_.findings) {
      if (finding.verdict != Verdict::Found) continue;
      warnings_.push_back(finding.warning);
      if (finding.rule == Rule::LaunchGaps && !plan_.graph) warnings_.back().facts["close"] = "--cuda-graph";
    }
  }

  const Plan& plan_;
  const Timing& timing_;
  const Summaries& summary_;
  const host::Fingerprint& machine_;
  Warnings warnings_;
};

void check_outputs(const ModelTiming& timing, Warnings& warnings) {
  for (const OutputInfo& output : timing.outputs) {
    if (output.non_finite > 0)
      warnings.push_back(warning("non_finite_output", {{"output", output.name}, {"count", std::to_string(output.non_finite)}}));
  }
  if (timing.answer.verdict == Answer::Verdict::Random) {
    warnings.push_back(warning(
        "random_model", {{"output", timing.answer.random_output}, {"largest", fmt::format("{:.3g}", timing.answer.random_difference)}}));
  }
}

void check_threads(const PreparedModel& model, const Plan& plan, const host::Fingerprint& machine, Warnings& warnings) {
  const auto threads = static_cast<std::size_t>(std::max(1, model.session->threads()));
  const std::size_t wanted = threads * plan.in_flight;
  const auto cpus = static_cast<std::size_t>(std::max(0, machine.cpus_allowed));
  if (model.session->asynchronous() || cpus == 0 || wanted <= cpus) return;
  std::map<std::string, std::string> facts{{"threads", std::to_string(wanted)}, {"cpus", std::to_string(cpus)}};
  if (plan.in_flight > 1) facts["in_flight"] = std::to_string(std::max<std::size_t>(1, cpus / threads));
  warnings.push_back(warning("threads_exceed_cpus", std::move(facts)));
}

}  // namespace

Warnings audit(const Plan& plan, const Timing& timing, const Summaries& summaries, const host::Fingerprint& machine) {
  return Audit{plan, timing, summaries, machine}();
}

Warnings audit(const PreparedModel& model, const Plan& plan, const ModelTiming& timing, const Summaries& summaries,
               const host::Fingerprint& machine) {
  Warnings warnings = model.inputs->warnings;
  check_outputs(timing, warnings);
  std::ranges::move(audit(plan, timing.timing, summaries, machine), std::back_inserter(warnings));
  for (Warning& each : warnings) {
    // What would time the copies too, where it was asked not to.
    if (each.code == "outputs_on_device" && model.session->transfers() == "none") each.facts["instead"] = "pinned";
  }
  check_threads(model, plan, machine, warnings);
  if (!model.peak_was_reset) warnings.push_back(warning("memory_whole_process"));
  return warnings;
}

}  // namespace lapse::measuring
