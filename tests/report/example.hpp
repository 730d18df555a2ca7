#pragma once
// Hand-made reports for the tests of the forms. The samples are written out by formula, so that every figure can be worked out on paper.

#include <cmath>
#include <cstdint>
#include <lapse/report/report.hpp>
#include <lapse/stats/summary.hpp>
#include <limits>
#include <vector>

namespace lapse::report::example {

inline void resummarise(Report& report) {
  report.summary = {stats::summarise(report.samples.end_to_end), stats::summarise(report.samples.submit),
                    stats::summarise(report.samples.device)};
  const auto& median = report.summary.end_to_end.median;
  report.plan.reached = median ? median->relative_error() : std::numeric_limits<double>::infinity();
}

/// `count` times of a blocking subject round 5 ms, skewed to the right as real ones are.
inline std::vector<double> skewed(std::size_t count) {
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    const double position = (static_cast<double>((i * 211) % count) + 0.5) / static_cast<double>(count);  // in (0, 1), shuffled
    times.push_back(std::round(4.98e6 - 1.2e5 * std::log(1.0 - position)));
  }
  return times;
}

inline Report synchronous() {
  Report report;
  report.created = "2026-03-01T12:00:00Z";
  report.argv = {"lapse", "time", "resnet50.onnx"};
  report.subject.model = "resnet50.onnx";
  report.subject.engine = "onnxruntime";
  report.subject.engine_version = "1.30.0";
  report.subject.engine_library = "libonnxruntime.so.1.30.0";
  report.subject.device = "cpu";
  report.subject.threads = 2;
  report.subject.scenario = "single-stream";
  report.subject.inputs = {{"x", "float32", {1, 3, 224, 224}, "normal, seed 0"}};
  report.subject.outputs = {{"y", "float32", {1, 1000}, ""}};
  report.environment.cpu = "AMD EPYC 9B14";
  report.environment.cpus_online = 8;
  report.environment.cpus_allowed = 2;
  report.environment.governor = "powersave";
  report.environment.hypervisor = "kvm";
  report.environment.memory_total = 16ULL << 30U;
  report.disturbance = {0.001, 0.25, 0};
  report.load_1min = 0.5;
  report.load_ns = 12.3e6;
  report.first_ns = 8.12e6;
  report.plan = {0.01, 0.0, 30e9, "precision", "settled", 20};
  report.answer = {"correct", 1, 1e-3, 1e-5, 3e-6};
  report.memory = {150'000'000, false};
  report.samples.end_to_end = skewed(812);
  report.samples.submit = report.samples.device = report.samples.end_to_end;
  report.throughput_per_s = 197.94;
  report.warnings = {{"busy_machine", {{"percent", "25 %"}, {"load", "0.50"}}}, {"governor", {{"governor", "powersave"}}}};
  resummarise(report);
  return report;
}

/// A simulated device: the call takes 50 µs, the work 5 ms.
inline Report asynchronous() {
  Report report = synchronous();
  report.subject.model = "sim:submit=50us,device=5ms";
  report.subject.engine = "sim";
  report.subject.engine_version = "0.1.0";
  report.subject.engine_library = "";
  report.subject.device = "sim";
  report.subject.threads = 0;
  report.subject.asynchronous = true;
  report.subject.inputs = {{"x", "float32", {1, 16}, "normal, seed 0"}};
  report.answer = {};
  for (std::size_t i = 0; i < report.samples.end_to_end.size(); ++i) {
    const double late = std::round((report.samples.end_to_end[i] - 4.98e6) / 10);
    report.samples.submit[i] = 50e3 + std::round(late / 5);
    report.samples.device[i] = 5e6 + late;
    report.samples.end_to_end[i] = report.samples.submit[i] + report.samples.device[i] + 3e3;
  }
  report.throughput_per_s = 197.6;
  report.warnings = {{"submit_is_not_latency", {{"submit", "50.50 µs"}, {"end_to_end", "5.062 ms"}, {"factor", "100"}}},
                     {"steal", {{"percent", "3 %"}}}};
  resummarise(report);
  return report;
}

/// Stopped by the user after four runs: no quantile has an interval.
inline Report interrupted() {
  Report report = synchronous();
  for (auto* series : {&report.samples.end_to_end, &report.samples.submit, &report.samples.device}) *series = {5e6, 6e6, 5.5e6, 7e6};
  report.plan.stop = "interrupted";
  report.plan.warmup_verdict = "not-settled";
  report.plan.discarded = 1;
  report.warnings.clear();
  resummarise(report);
  return report;
}

inline Report offline() {
  Report report = synchronous();
  report.subject.scenario = "offline";
  report.subject.in_flight = 4;
  report.subject.batch = 8;
  report.throughput_per_s = 6321.4;
  report.plan.stop = "budget";
  report.plan.warmup_verdict = "fixed";
  report.memory.whole_process = true;
  report.environment.cpu_limit = 1.5;
  report.warnings.clear();
  return report;
}

}  // namespace lapse::report::example
