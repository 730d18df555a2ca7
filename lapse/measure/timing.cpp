#include <algorithm>
#include <lapse/measure/clock_watch.hpp>
#include <lapse/measure/graph_subject.hpp>
#include <lapse/measure/timing.hpp>
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
void examine(Examiner& examiner, Duration time, Timing& timing) {
  Measurement& measurement = timing.measurement;
  if (measurement.stop != Stop::Interrupted && measurement.stop != Stop::Failed) {
    const std::size_t iterations = measurement.warmup.discarded + measurement.samples.size();
    if (auto finished = examiner.finish(measurement.samples, time, iterations); !finished) {
      measurement.stop = Stop::Failed;
      measurement.failure = std::move(finished).error();
    }
  }
  timing.evidence = examiner.evidence();
}

Bound bound_of(const Timing& timing) {
  if (!timing.evidence.idle) return Bound::Unknown;
  std::vector<Duration> behind;
  for (const Backlog& backlog : timing.evidence.backlogs) {
    if (backlog.held) behind.push_back(backlog.device);
  }
  std::ranges::sort(behind);
  return bound(timing.evidence.idle->submit, behind.empty() ? timing.evidence.idle->device : behind[behind.size() / 2]);
}

}  // namespace

Result<Timing> time_subject(Subject& given, const Plan& plan, const Hooks& hooks, Duration before) {
  std::optional<GraphSubject> graph;
  if (plan.graph) {
    LAPSE_TRY(graph, GraphSubject::make(given));
  }
  Subject& subject = graph ? static_cast<Subject&>(*graph) : given;
  device::Timeline& timeline = subject.timeline();
  Timing timing;
  timing.clock_cost = clock_cost(timeline);
  LAPSE_TRY(Examiner examiner, Examiner::make(subject, plan));
  device::ClockMonitor* const monitor = plan.audit && timeline.controls() != nullptr ? timeline.controls()->clocks() : nullptr;

  const device::Instant begin = timeline.now();
  const host::Activity activity = host::activity();
  ClockWatch watch{monitor};
  LAPSE_TRY(timing.measurement, run(subject, plan, hooks, &examiner));
  auto clocks = watch.stop();
  timing.disturbance = host::between(activity, host::activity());
  timing.load_1min = activity.load_1min;

  examine(examiner, before + (timeline.now() - begin), timing);
  timing.evidence.clocks = std::move(clocks);
  if (monitor != nullptr) timing.evidence.max_mhz = monitor->max_mhz();
  timing.findings = judge(timing.evidence, timing.measurement.samples, subject.asynchronous());
  if (subject.asynchronous()) timing.bound = bound_of(timing);
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
