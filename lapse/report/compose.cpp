#include <lapse/base/version.hpp>
#include <lapse/device/controls.hpp>
#include <lapse/measure/audit.hpp>
#include <lapse/report/compose.hpp>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/idle.hpp>
#include <lapse/report/json_parts.hpp>
#include <limits>
#include <numeric>

namespace lapse::report {
namespace {

double nanoseconds(Duration duration) { return static_cast<double>(duration.count()); }

SubjectRow subject_row(const measuring::ModelRequest& request, const measuring::Plan& plan, const measuring::PreparedModel& model,
                       const measuring::ModelTiming& timing) {
  SubjectRow row;
  row.model = request.model;
  row.engine = model.engine->name();
  row.engine_version = model.engine->version();
  row.engine_library = model.engine->library().string();
  row.device = model.session->device();
  row.threads = model.session->threads();
  row.batch = model.inputs->batch;
  row.asynchronous = model.session->asynchronous();
  row.transfers = model.session->transfers();
  row.graph = plan.graph;
  row.cold_cache = plan.cold_cache;
  row.streams = static_cast<std::int64_t>(model.timeline->streams());
  row.scenario = measuring::name(plan.scenario);
  row.in_flight = static_cast<std::int64_t>(plan.in_flight);
  row.input_sets = static_cast<std::int64_t>(model.inputs->sets.size());
  for (std::size_t i = 0; i < model.session->inputs().size(); ++i) {
    const tensor::Tensor& input = model.inputs->sets.front().inputs[i];
    row.inputs.push_back(
        {model.session->inputs()[i].name, std::string(tensor::name(input.dtype())), input.shape(), model.inputs->sources[i]});
  }
  for (const measuring::OutputInfo& output : timing.outputs) {
    row.outputs.push_back({output.name, std::string(tensor::name(output.dtype)), output.shape, {}});
  }
  return row;
}

PlanRow plan_row(const measuring::Plan& plan, const measuring::Measurement& measurement, const stats::Summary& end_to_end) {
  PlanRow row;
  row.precision = plan.precision;
  row.reached = end_to_end.median ? end_to_end.median->relative_error() : std::numeric_limits<double>::infinity();
  row.budget_ns = nanoseconds(plan.budget);
  row.stop = measuring::name(measurement.stop);
  row.warmup_verdict = stats::name(measurement.verdict());
  row.warmup_asked = measurement.warmup.asked;
  row.warmup_cost_ns = nanoseconds(measurement.warmup.cost);
  row.cycle = measurement.course.cycle;
  for (const auto* levels : {&measurement.warmup.levels, &measurement.course.segments}) {
    for (const stats::Segment& level : *levels) {
      const std::size_t first = row.segments.empty() ? 0 : row.segments.back().first + row.segments.back().count;
      row.segments.push_back({first, level.count, level.median});
    }
  }
  row.discarded = static_cast<std::int64_t>(measurement.warmup.discarded);
  return row;
}

Series series(const std::vector<measuring::Sample>& samples, bool staged) {
  Series result;
  for (const measuring::Sample& sample : samples) {
    result.end_to_end.push_back(nanoseconds(sample.end_to_end));
    result.submit.push_back(nanoseconds(sample.submit));
    result.device.push_back(nanoseconds(sample.device));
    result.start.push_back(nanoseconds(sample.start - samples.front().start));
    if (!staged) continue;
    result.h2d.push_back(nanoseconds(sample.h2d));
    result.d2h.push_back(nanoseconds(sample.d2h));
  }
  return result;
}

IdleRow idle_row(const measuring::GapRuns& gap, bool staged) {
  IdleRow row{nanoseconds(gap.gap), nanoseconds(gap.slept), gap.mhz, series(gap.samples, staged), {}};
  row.samples.blocks = gap.blocks;
  row.summary = summarise_blocks(row.samples);
  return row;
}

AuditRow audit_row(const measuring::Timing& timing) {
  AuditRow row;
  for (const measuring::Finding& finding : timing.findings) {
    row.rules.push_back({std::string(measuring::name(finding.rule)), std::string(measuring::name(finding.verdict)), finding.reason});
  }
  row.spent_ns = nanoseconds(timing.evidence.spent);
  row.empty_pair_ns = nanoseconds(timing.evidence.empty_pair);
  if (const auto work = timing.evidence.work()) row.backlog_device_ns = nanoseconds(*work);
  if (timing.evidence.idle) {
    row.idle_submit_ns = nanoseconds(timing.evidence.idle->submit);
    row.idle_end_to_end_ns = nanoseconds(timing.evidence.idle->end_to_end);
  }
  row.bound = measuring::name(timing.bound);
  return row;
}

DeviceRow device_row(const device::DeviceInfo& info) { return {info.name, info.driver, info.runtime, info.memory_bytes}; }

// One at a time: what the inferences took, lapse's own pauses between them left out. Several at once: by the clock on the wall.
double throughput(const measuring::Plan& plan, const measuring::Measurement& measurement, const Series& samples, std::int64_t batch) {
  const double items = static_cast<double>(batch) * static_cast<double>(measurement.samples.size());
  const double time = plan.scenario == measuring::Scenario::Offline
                          ? nanoseconds(measurement.timed)
                          : std::accumulate(samples.end_to_end.begin(), samples.end_to_end.end(), 0.0);
  return time > 0 ? items * 1e9 / time : 0.0;
}

// What any measurement tells. The subject of the report is there already.
void add_timing(Report& report, const measuring::Plan& plan, const measuring::Timing& timing, const measuring::Summaries& summaries) {
  const measuring::Measurement& measurement = timing.measurement;
  report.created = created_now();
  report.environment = host::fingerprint();
  report.disturbance = timing.disturbance;
  report.load_1min = timing.load_1min;
  report.plan = plan_row(plan, measurement, summaries.end_to_end);
  report.samples = series(measurement.samples, summaries.h2d.count > 0);
  for (const measuring::Sample& sample : measurement.warmup.samples) report.samples.warmup.push_back(nanoseconds(sample.end_to_end));
  report.samples.blocks = measurement.blocks;
  report.summary = {summaries.end_to_end, summaries.submit, summaries.device, summaries.h2d, summaries.d2h};
  report.samples.tags = timing.tags;
  if (!timing.tags.empty()) report.summary.undisturbed = stats::summarise(undisturbed(report.samples));
  for (const measuring::GapRuns& gap : timing.idle) report.idle.push_back(idle_row(gap, summaries.h2d.count > 0));
  report.audit = audit_row(timing);
  if (const auto& failure = measurement.failure)
    report.failure = {std::string(lapse::name(failure->code)), failure->message, failure->hint};
  report.throughput_per_s = throughput(plan, measurement, report.samples, report.subject.batch);
}

}  // namespace

Report compose(const measuring::ModelRequest& request, const measuring::Plan& plan, const measuring::PreparedModel& model,
               const measuring::ModelTiming& timing, std::vector<std::string> argv) {
  const measuring::Summaries summaries = measuring::summarise(timing.timing.measurement.samples, model.session->staged());
  Report report;
  report.argv = std::move(argv);
  report.subject = subject_row(request, plan, model, timing);
  if (device::Controls* controls = model.timeline->controls()) report.device = device_row(controls->info());
  report.load_ns = nanoseconds(model.load);
  report.first_ns = nanoseconds(timing.first);
  report.answer = {std::string(measuring::name(timing.answer.verdict)), static_cast<std::int64_t>(timing.answer.sets),
                   request.tolerance.relative, request.tolerance.absolute, timing.answer.largest_difference};
  report.memory = {timing.peak, timing.device_peak, !model.peak_was_reset};
  add_timing(report, plan, timing.timing, summaries);
  report.warnings = measuring::audit(model, plan, timing, summaries, report.environment);
  return report;
}

Report compose(const Measured& measured, std::string name, std::vector<std::string> argv) {
  Report report;
  report.argv = std::move(argv);
  report.subject.model = std::move(name);
  report.subject.engine = "lapse";
  report.subject.engine_version = version();
  report.subject.device = measured.device;
  report.subject.asynchronous = measured.asynchronous;
  report.subject.scenario = measuring::name(measured.plan.scenario);
  report.subject.in_flight = static_cast<std::int64_t>(measured.plan.in_flight);
  report.subject.streams = static_cast<std::int64_t>(measured.plan.streams);
  report.subject.graph = measured.plan.graph;
  report.subject.cold_cache = measured.plan.cold_cache;
  report.device = device_row(measured.device_info);
  report.first_ns = nanoseconds(measured.first);
  add_timing(report, measured.plan, measured.timing, measured.summary);
  report.warnings = measured.warnings;
  return report;
}

}  // namespace lapse::report
