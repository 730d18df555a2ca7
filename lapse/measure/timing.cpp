#include <algorithm>
#include <iterator>
#include <lapse/measure/clock_watch.hpp>
#include <lapse/measure/disturbances.hpp>
#include <lapse/measure/graph_subject.hpp>
#include <lapse/measure/timing.hpp>
#include <lapse/measure/turns.hpp>
#include <lapse/measure/watched_subject.hpp>
#include <optional>

namespace lapse::measuring {
namespace {

Duration clock_cost(device::Timeline& timeline) {
  Duration least = Duration::max();
  for (int i = 0; i < 100; ++i) {
    const auto begin = timeline.now();
    least = std::min(least, timeline.now() - begin);
  }
  return least;
}

// What ends the examination ends the measurement too, but takes nothing from what was timed before.
void examine(Examiner& examiner, Duration time, Timing& timing, Watchdog* watchdog) {
  Measurement& measurement = timing.measurement;
  if (measurement.stop != Stop::Interrupted && measurement.stop != Stop::Failed) {
    const std::size_t iterations = measurement.warmup.discarded + measurement.samples.size();
    if (watchdog != nullptr) watchdog->publish(measurement, measurement.samples.size());
    auto finished = examiner.finish(measurement.samples, time, iterations);
    if (watchdog != nullptr) watchdog->withdraw();
    if (!finished) {
      measurement.stop = Stop::Failed;
      measurement.failure = std::move(finished).error();
    }
  }
  timing.evidence = examiner.evidence();
}

// Behind all else, which the pauses would disturb. What ends them ends the measurement, too.
void pause(Subject& subject, const Plan& plan, const Hooks& hooks, Timing& timing) {
  Measurement& measurement = timing.measurement;
  if (plan.idle.empty() || measurement.stop == Stop::Interrupted || measurement.stop == Stop::Failed) return;
  if (hooks.watchdog != nullptr) hooks.watchdog->publish(measurement, measurement.samples.size());
  IdleCurve curve = measure_idle(subject, plan, hooks, measurement.warmup.discarded + measurement.samples.size());
  if (hooks.watchdog != nullptr) hooks.watchdog->withdraw();
  timing.idle = std::move(curve.gaps);
  if (curve.stop != Stop::Interrupted && curve.stop != Stop::Failed) return;
  measurement.stop = curve.stop;
  measurement.failure = std::move(curve.failure);
}

std::vector<Tag> tags_of(const Timing& timing, const Disturbances& disturbances) {
  const std::vector<Sample>& samples = timing.measurement.samples;
  std::vector<Stretch> stretches = disturbances.stretches();
  std::ranges::copy(low_clocks(during_runs(timing.evidence.clocks, samples)), std::back_inserter(stretches));
  return tag(samples, stretches);
}

Bound bound_of(const Evidence& evidence) {
  if (!evidence.idle) return Bound::Unknown;
  return bound(evidence.idle->submit, evidence.work().value_or(evidence.idle->device));
}

}  // namespace

Result<Timing> time_subject(Subject& given, const Plan& plan, const Hooks& given_hooks, Duration before) {
  Hooks hooks = given_hooks;
  Watchdog* const watchdog = hooks.watchdog;
  Pulse* const pulse = watchdog != nullptr ? &watchdog->pulse() : nullptr;
  const auto enter_phase = [&](const char* phase) {
    if (watchdog != nullptr) watchdog->phase(phase);
  };
  std::optional<GraphSubject> graph;
  if (plan.graph) {
    enter_phase("the capture of the graph");
    const Within step(pulse, Step::Submit);
    LAPSE_TRY(graph, GraphSubject::make(given));
  }
  Subject& captured = graph ? static_cast<Subject&>(*graph) : given;
  std::optional<WatchedSubject> watched;
  if (watchdog != nullptr) watched.emplace(captured, *watchdog);
  Subject& subject = watched ? static_cast<Subject&>(*watched) : captured;
  enter_phase("the audit");
  device::Timeline& timeline = subject.timeline();
  Timing timing;
  timing.clock_cost = clock_cost(timeline);
  LAPSE_TRY(Examiner examiner, Examiner::make(subject, plan));
  device::ClockMonitor* const monitor = plan.audit && timeline.controls() != nullptr ? timeline.controls()->clocks() : nullptr;

  const device::Instant begin = timeline.now();
  const host::Activity activity = host::activity();
  const host::InterruptionCounters counters;
  Disturbances disturbances{timeline, [&counters] { return counters.read(); }};
  hooks.disturbances = &disturbances;
  ClockWatch watch{monitor};
  LAPSE_TRY(timing.measurement,
            hooks.turns != nullptr ? take_turns(subject, plan, hooks, &examiner) : run(subject, plan, hooks, &examiner));
  auto clocks = watch.stop();
  if (!timeline.is_virtual()) timing.disturbance = host::between(activity, host::activity());
  timing.load_1min = activity.load_1min;

  enter_phase("the audit");
  examine(examiner, before + (timeline.now() - begin), timing, watchdog);
  enter_phase("the runs after pauses");
  pause(subject, plan, hooks, timing);
  if (pulse != nullptr) pulse->enter(Step::Own);
  timing.evidence.clocks = std::move(clocks);
  if (monitor != nullptr) timing.evidence.max_mhz = monitor->max_mhz();
  timing.tags = tags_of(timing, disturbances);
  timing.findings = judge(timing.evidence, timing.measurement.samples, subject.asynchronous());
  if (subject.asynchronous()) timing.bound = bound_of(timing.evidence);
  return timing;
}

Summaries summarise(const std::vector<Sample>& samples, bool staged) {
  const auto part = [&](Duration Sample::*member) {
    std::vector<double> values;
    values.reserve(samples.size());
    for (const Sample& sample : samples) values.push_back(static_cast<double>((sample.*member).count()));
    return stats::summarise(values);
  };
  Summaries out{part(&Sample::submit), part(&Sample::device), part(&Sample::end_to_end), {}, {}};
  if (staged) {
    out.h2d = part(&Sample::h2d);
    out.d2h = part(&Sample::d2h);
  }
  return out;
}

}  // namespace lapse::measuring
