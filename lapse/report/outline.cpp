#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/idle.hpp>
#include <lapse/report/outline.hpp>
#include <lapse/report/processes.hpp>
#include <lapse/report/quantity.hpp>
#include <string_view>

namespace lapse::report {
namespace {

constexpr std::size_t kInputsShown = 6;  // a decoder with its cache has dozens
constexpr Phrase kStoppedProcesses{"all processes are done[; the median is within ± {reached}]",
                                   "모든 프로세스 측정 완료[, 중앙값의 오차는 ± {reached}]"};
constexpr Phrase kOfProcesses{"the estimates are means of what each process has; the intervals hold for processes yet to be started",
                              "추정값은 프로세스별 값의 평균이며, 신뢰구간은 새로 시작할 프로세스에도 해당합니다"};
constexpr double kSubmitLooksRight = 1.05;  // below this factor a clock round the call alone is no lie worth a line

std::string counted(std::uint64_t n, Text one, Text many, Language language) {
  return n == 1 ? say(one, language) : say(many, language, {{"n", grouped(n)}});
}

std::string tensor(const TensorRow& row) {
  std::string out =
      fmt::format("{} {} {}", row.name, row.dtype, row.shape.empty() ? "scalar" : fmt::format("{}", fmt::join(row.shape, "x")));
  return row.source.empty() ? out : out + " (" + row.source + ')';
}

std::string answer(const AnswerRow& row, Language language) {
  if (row.verdict == "random") return say(Text::AnswerRandom, language);
  if (row.verdict != "correct") return say(Text::AnswerUnchecked, language);
  return say(Text::AnswerCorrect, language,
             {{"sets", counted(static_cast<std::uint64_t>(std::max<std::int64_t>(row.sets, 0)), Text::Set, Text::Sets, language)},
              {"rtol", tolerance(row.relative_tolerance)},
              {"atol", tolerance(row.absolute_tolerance)}});
}

// What the times hold: no hidden default.
std::string timed(const SubjectRow& subject, Language language) {
  std::string out;
  const auto add = [&out](const std::string& part) { out += out.empty() ? part : " · " + part; };
  if (subject.transfers == "none") {
    add(say(Text::TimedForward, language));
  } else if (!subject.transfers.empty()) {
    add(say(Text::TimedTransfers, language, {{"transfers", subject.transfers}}));
  } else if (subject.asynchronous) {
    add(say(Text::TimedAll, language));
  }
  if (subject.graph) add(say(Text::TimedGraph, language));
  if (subject.cold_cache) add(say(Text::TimedColdCache, language));
  return out;
}

std::vector<Row> setup(const Report& report, Language language) {
  std::vector<Row> rows;
  const std::vector<TensorRow>& inputs = report.subject.inputs;
  const std::size_t shown = inputs.size() > kInputsShown + 1 ? kInputsShown : inputs.size();
  for (std::size_t i = 0; i < shown; ++i) rows.push_back({i == 0 ? say(Text::Input, language) : "", tensor(inputs[i])});
  if (shown < inputs.size()) rows.push_back({"", say(Text::MoreInputs, language, {{"n", std::to_string(inputs.size() - shown)}})});
  // Work without inputs and outputs gives no answer that could be checked.
  if (!inputs.empty() || report.answer.verdict != "unchecked") {
    rows.push_back({say(Text::Answer, language), answer(report.answer, language)});
  }
  if (std::string value = timed(report.subject, language); !value.empty()) {
    rows.push_back({say(Text::Timed, language), std::move(value)});
  }
  return rows;
}

std::string warmup(const PlanRow& plan, Language language) {
  const Text verdict = plan.warmup_verdict == "slowdown"                       ? Text::WarmupSlowdown
                       : plan.warmup_verdict == "no-steady-state"              ? Text::WarmupNoSteadyState
                       : plan.warmup_verdict == "too-short"                    ? Text::WarmupTooShort
                       : plan.warmup_verdict == "warm-up" && plan.warmup_asked ? Text::WarmupCold
                                                                               : Text::WarmupFlat;
  Facts facts{{"runs", counted_runs(static_cast<std::uint64_t>(std::max<std::int64_t>(plan.discarded, 0)), language)}};
  if (plan.warmup_asked) facts["asked"] = "";
  if (plan.warmup_cost_ns > 0) facts["cost"] = duration(plan.warmup_cost_ns);
  return say(verdict, language, facts);
}

std::vector<Row> before(const Report& report, Language language) {
  const PlanRow& plan = report.plan;
  return {{say(Text::ColdStart, language), say(report.load_ns > 0 ? Text::ColdStartValue : Text::ColdStartFirst, language,
                                               {{"load", duration(report.load_ns)}, {"first", duration(report.first_ns)}})},
          {say(Text::Warmup, language), warmup(plan, language)}};
}

std::string latency_heading(const Report& report, Language language) {
  const std::string runs = counted_runs(report.samples.end_to_end.size(), language);
  if (report.subject.scenario == "offline") {
    return say(Text::LatencyUnderLoad, language, {{"n", std::to_string(report.subject.in_flight)}, {"runs", runs}});
  }
  return say(report.subject.asynchronous ? Text::LatencyMedians : Text::Latency, language, {{"runs", runs}});
}

// Why none of the times can be trusted; empty where they can.
std::vector<std::string> wrong(const AuditRow& audit, Language language) {
  std::vector<std::string> reasons;
  for (const RuleRow& row : audit.rules) {
    if (row.verdict != "found") continue;
    if (std::string why = rule_words(row.rule, language).wrong; !why.empty()) reasons.push_back(std::move(why));
  }
  return reasons;
}

// What a clock round the call would have read: of one call on an idle device, where that is known.
std::string submit_alone(const Report& report, Language language) {
  double submit = report.audit.idle_submit_ns, whole = report.audit.idle_end_to_end_ns;
  if (whole == 0 && report.summary.end_to_end.median && report.summary.submit.median) {
    submit = report.summary.submit.median->value;
    whole = report.summary.end_to_end.median->value;
  }
  const double ratio = whole / submit;
  if (!std::isfinite(ratio) || ratio <= 0) return {};
  return say(ratio < kSubmitLooksRight ? Text::SubmitLooksRight : Text::SubmitAlone, language,
             {{"submit", duration(submit)}, {"factor", factor(ratio)}});
}

Latency latency(const Report& report, Language language) {
  const stats::Summary& summary = report.summary.end_to_end;
  const bool asynchronous = report.subject.asynchronous;
  Latency out{latency_heading(report, language), say(Text::Interval, language), {}, {}, {}, {}};
  if (asynchronous) {
    out.rows.push_back(quantile_row(say(Text::Submit, language), report.summary.submit.median, false, language));
    const auto stage = [&](Text text, const stats::Summary& series) {
      if (series.count > 0) out.rows.push_back(quantile_row(say(text, language), series.median, false, language));
    };
    stage(Text::H2D, report.summary.h2d);
    stage(Text::Device, report.summary.device);
    stage(Text::D2H, report.summary.d2h);
  }
  out.rows.push_back(quantile_row(say(asynchronous ? Text::EndToEnd : Text::Median, language), summary.median, false, language));
  add_percentiles(summary, asynchronous, language, out);
  if (asynchronous && wrong(report.audit, language).empty()) out.submit_alone = submit_alone(report, language);
  std::vector<double> sorted = report.samples.end_to_end;
  std::sort(sorted.begin(), sorted.end());
  draw_histogram(summary, sorted, language, out);
  return out;
}

Row throughput(const Report& report, Language language) {
  const std::string number = rate(report.throughput_per_s);
  std::string value = report.subject.batch == 1
                          ? say(Text::Inferences, language, {{"rate", number}})
                          : say(Text::Items, language, {{"rate", number}, {"n", std::to_string(report.subject.batch)}});
  if (report.subject.scenario == "offline") {
    Facts facts{{"n", std::to_string(report.subject.in_flight)}};
    if (report.subject.streams > 1) facts["streams"] = std::to_string(report.subject.streams);
    value += " · " + say(Text::InFlight, language, facts);
  }
  return {say(Text::Throughput, language), std::move(value)};
}

std::string stopped(const PlanRow& plan, const std::optional<FailureRow>& failure, Language language) {
  Facts facts{{"asked", percent(plan.precision)}, {"budget", round_duration(plan.budget_ns)}};
  if (std::isfinite(plan.reached)) facts["reached"] = percent(plan.reached);
  if (plan.stop == "precision") return say(Text::StoppedPrecision, language, facts);
  if (plan.stop == "budget") return say(Text::StoppedBudget, language, facts);
  if (plan.stop == "max-runs") return say(Text::StoppedMaxRuns, language, facts);
  if (plan.stop == "processes") return say(kStoppedProcesses, language, facts);
  if (plan.stop == "interrupted") return say(Text::StoppedInterrupted, language, facts);
  if (failure) facts["message"] = failure->message;
  if (failure && !failure->hint.empty()) facts["hint"] = failure->hint;
  return say(Text::StoppedFailed, language, facts);
}

// The rules of the audit by what came of them, a row each.
std::vector<Row> audited(const Report& report, Language language) {
  std::vector<Row> rows;
  const auto put = [&](std::string value) { rows.push_back({rows.empty() ? say(Text::Audit, language) : "", std::move(value)}); };
  const auto add = [&](std::string_view verdict, Text text, std::string RuleWords::*word) {
    std::string rules;
    for (const RuleRow& row : report.audit.rules) {
      if (row.verdict != verdict || row.reason == "blocking" || row.reason == "asynchronous") continue;  // not a rule for this subject
      rules += (rules.empty() ? "" : ", ") + rule_words(row.rule, language).*word;
      if (!row.reason.empty()) rules += " (" + reason_words(row.reason, language) + ')';
    }
    if (!rules.empty()) put(say(text, language, {{"rules", rules}}));
  };
  add("found", Text::AuditFound, &RuleWords::found);
  add("clean", Text::AuditClean, &RuleWords::clean);
  add("not-examined", Text::AuditNotExamined, &RuleWords::topic);
  // Nobody asked whether the times are right: to be said where they could well be wrong.
  if (rows.empty() && report.subject.asynchronous) put(say(Text::AuditNotMade, language));
  return rows;
}

std::vector<Row> after(const Report& report, Language language) {
  std::vector<Row> rows = disturbed_rows(report, language);
  if (!report.audit.bound.empty() && wrong(report.audit, language).empty()) {
    rows.push_back({say(Text::Bound, language), say(report.audit.bound == "launch" ? Text::BoundLaunch : Text::BoundDevice, language)});
  }
  for (Row& row : audited(report, language)) rows.push_back(std::move(row));
  if (report.memory.peak > 0) {
    const Text text = report.memory.whole_process ? Text::MemoryWholeProcess : Text::MemoryPeak;
    std::string value = say(text, language, {{"bytes", bytes(report.memory.peak)}});
    if (report.memory.device_peak > 0) {
      value += " · " + say(Text::MemoryDevice, language, {{"bytes", bytes(report.memory.device_peak)}});
    }
    rows.push_back({say(Text::Memory, language), std::move(value)});
  }
  if (!report.device.name.empty()) {
    std::string value = report.device.name;
    if (!report.device.driver.empty()) value += " · driver " + report.device.driver;
    if (!report.device.runtime.empty()) value += " · CUDA " + report.device.runtime;
    rows.push_back({say(Text::Device, language), std::move(value)});
  }
  if (std::string value = machine(report.environment, language); !value.empty()) {
    rows.push_back({say(Text::Machine, language), std::move(value)});
  }
  rows.push_back({say(Text::Stopped, language), stopped(report.plan, report.failure, language)});
  const bool several = report.processes.size() > 1;
  if (const auto& median = report.summary.end_to_end.median) {
    Facts worth;
    const auto effective = static_cast<std::uint64_t>(median->effective);
    if (effective < report.samples.end_to_end.size()) worth["n"] = grouped(effective);
    rows.push_back({say(Text::Note, language), several ? say(kOfProcesses, language) : say(Text::OfThisProcess, language, worth)});
  }
  return rows;
}

}  // namespace

std::string title(const SubjectRow& subject, Language language) {
  std::string out = subject.model + " · " + subject.engine;
  if (!subject.engine_version.empty()) out += ' ' + subject.engine_version;
  out += " · " + subject.device;
  if (subject.threads > 0) out += " · " + counted(static_cast<std::uint64_t>(subject.threads), Text::Thread, Text::Threads, language);
  return out + " · " + say(Text::Batch, language, {{"n", std::to_string(subject.batch)}});
}

std::string machine(const host::Fingerprint& host, Language language) {
  std::string out = host.cpu;
  const auto add = [&out](const std::string& part) { out += out.empty() ? part : " · " + part; };
  Facts facts{{"allowed", std::to_string(host.cpus_allowed)}, {"online", std::to_string(host.cpus_online)}};
  if (host.cpu_limit) facts["limit"] = fmt::format("{:g}", *host.cpu_limit);
  if (host.cpus_online > 0) add(say(host.cpu_limit ? Text::CpusLimited : Text::Cpus, language, facts));
  if (!host.governor.empty()) add(say(Text::Governor, language, {{"governor", host.governor}}));
  if (!host.hypervisor.empty()) add(say(Text::Virtual, language, {{"hypervisor", host.hypervisor}}));
  return out;
}

Outline outline(const Report& report, Language language) {
  Outline out;
  out.title = title(report.subject, language);
  if (report.plan.stop == "interrupted") out.alerts.push_back(say(Text::Interrupted, language));
  if (report.plan.stop == "failed") out.alerts.push_back(say(Text::Failed, language));
  if (report.plan.warmup_verdict == "no-steady-state") out.alerts.push_back(say(Text::NoSteadyState, language));
  for (const std::string& reason : wrong(report.audit, language))
    out.alerts.push_back(say(Text::TimesWrong, language, {{"reason", reason}}));
  out.setup = setup(report, language);
  out.before = process_rows(report, language);
  std::ranges::move(before(report, language), std::back_inserter(out.before));
  out.throughput = throughput(report, language);
  out.throughput_first = report.subject.scenario == "offline";
  out.latency = latency(report, language);
  out.idle = idle_table(report, language);
  out.after = after(report, language);
  for (const measuring::Warning& warning : report.warnings) {
    if (warning.code == "submit_is_not_latency") continue;  // of an older lapse; the line under the table of latencies says it
    out.warnings.push_back(say(warning, language));
  }
  return out;
}

}  // namespace lapse::report
