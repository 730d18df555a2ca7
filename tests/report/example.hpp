#pragma once
// Hand-made reports for the tests of the forms. The samples are written out by formula, so that every figure can be worked out on paper.

#include <cmath>
#include <cstdint>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/idle.hpp>
#include <lapse/report/report.hpp>
#include <lapse/stats/summary.hpp>
#include <limits>
#include <vector>

namespace lapse::report::example {

inline void resummarise(Report& report) {
  report.summary = {stats::summarise(report.samples.end_to_end), stats::summarise(report.samples.submit),
                    stats::summarise(report.samples.device), stats::summarise(report.samples.h2d), stats::summarise(report.samples.d2h)};
  if (!report.samples.tags.empty()) report.summary.undisturbed = stats::summarise(undisturbed(report.samples));
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
  report.plan = {0.01, 0.0, 30e9, "precision", "flat", 20};
  report.answer = {"correct", 1, 1e-3, 1e-5, 3e-6};
  report.memory = {150'000'000, 0, false};
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
  report.warnings = {{"steal", {{"percent", "3 %"}}}};
  resummarise(report);
  return report;
}

/// Every tenth of the runs was disturbed, and the slowest of all were.
inline Report disturbed() {
  Report report = synchronous();
  Series& samples = report.samples;
  for (std::size_t first = 0; first + 10 <= samples.end_to_end.size(); first += 100) {
    samples.tags.push_back({first, 6, 1 | 4});  // steal, preempted
    samples.tags.push_back({first + 6, 4, 4});
    for (std::size_t i = first; i < first + 10; ++i) samples.end_to_end[i] = samples.submit[i] = samples.device[i] = 9e6;
  }
  resummarise(report);
  return report;
}

/// After 10 ms without an inference the next takes 2 ms longer, at half the clock.
inline Report idle() {
  Report report = asynchronous();
  for (const double gap : {0.0, 1e6, 10e6}) {
    IdleRow row{gap, gap > 0 ? gap + 60e3 : 0.0, gap < 10e6 ? 1980.0 : 990.0, {}, {}};
    for (const double time : skewed(gap < 10e6 ? 100 : 40)) {
      row.samples.device.push_back(time + (gap < 10e6 ? 0.0 : 2e6));
      row.samples.submit.push_back(50e3);
      row.samples.end_to_end.push_back(row.samples.device.back() + 50e3);
    }
    row.samples.blocks.assign(10, row.samples.end_to_end.size() / 10);
    row.summary = summarise_blocks(row.samples);
    report.idle.push_back(std::move(row));
  }
  return report;
}

/// Stopped by the user after four runs: no quantile has an interval.
inline Report interrupted() {
  Report report = synchronous();
  for (auto* series : {&report.samples.end_to_end, &report.samples.submit, &report.samples.device}) *series = {5e6, 6e6, 5.5e6, 7e6};
  report.plan.stop = "interrupted";
  report.plan.warmup_verdict = "too-short";
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
  report.plan.warmup_verdict = "flat";
  report.plan.warmup_asked = true;
  report.memory.whole_process = true;
  report.environment.cpu_limit = 1.5;
  report.warnings.clear();
  return report;
}

/// On a GPU, with copies. The audit found gaps and a clock that was held down: the times stand, with a remark.
inline Report staged() {
  Report report = asynchronous();
  report.subject.model = "resnet50.onnx";
  report.subject.engine = "onnxruntime";
  report.subject.engine_version = "1.30.0";
  report.subject.device = "cuda";
  report.subject.transfers = "pinned";
  report.subject.cold_cache = true;
  report.device = {"NVIDIA H100 80GB HBM3", "580.159", "13.0", 85'520'809'984};
  report.memory = {150'000'000, 700'000'000, false};
  Series& samples = report.samples;
  for (std::size_t i = 0; i < samples.end_to_end.size(); ++i) {
    samples.h2d.push_back(300e3 + static_cast<double>(i % 7));
    samples.d2h.push_back(200e3 + static_cast<double>(i % 5));
    samples.end_to_end[i] += 500e3;
    samples.start.push_back(6e6 * static_cast<double>(i));
  }
  samples.warmup = {9e6, 6e6, 5.6e6};
  report.audit.rules = {{"pending-on-return", "not-examined", "asynchronous"},
                        {"other-stream", "clean", ""},
                        {"side-stream", "clean", ""},
                        {"launch-gaps", "found", ""},
                        {"outputs-on-device", "clean", ""},
                        {"clocks", "found", ""}};
  report.audit.spent_ns = 40e6;
  report.audit.idle_submit_ns = 51e3;
  report.audit.idle_end_to_end_ns = 5.6e6;
  report.audit.backlog_device_ns = 2.5e6;
  report.audit.empty_pair_ns = 1.5e3;
  report.audit.bound = "device";
  report.warnings = {
      {"launch_gaps", {{"percent", "12 %"}, {"device", "5.008 ms"}, {"work", "4.407 ms"}, {"close", "--cuda-graph"}}},
      {"clock_held_down", {{"percent", "31 %"}, {"reasons", "power cap"}, {"low", "1410"}, {"high", "1755"}, {"max", "1980"}}}};
  resummarise(report);
  return report;
}

/// Work on a side stream that nobody waits for: none of the times can be trusted.
inline Report wrong() {
  Report report = staged();
  report.subject.transfers = "none";
  report.subject.cold_cache = false;
  report.subject.scenario = "offline";
  report.subject.in_flight = 4;
  report.subject.streams = 2;
  report.samples.h2d = report.samples.d2h = {};
  report.audit.rules = {{"pending-on-return", "not-examined", "asynchronous"},
                        {"other-stream", "clean", ""},
                        {"side-stream", "found", ""},
                        {"launch-gaps", "not-examined", "no-time"},
                        {"outputs-on-device", "found", ""},
                        {"clocks", "not-examined", "no-reading"}};
  report.warnings = {
      {"side_stream", {{"left", "2.050 ms"}, {"device", "5.008 ms"}, {"end_to_end", "5.563 ms"}}},
      {"outputs_on_device", {{"fetch", "200.0 µs"}, {"end_to_end", "5.563 ms"}, {"percent", "3.6 %"}, {"instead", "pinned"}}}};
  resummarise(report);
  return report;
}

/// The device was lost after four runs. Small, and with every key that a result can have.
inline Report failed() {
  Report report = staged();
  Series& samples = report.samples;
  for (auto* series : {&samples.end_to_end, &samples.submit, &samples.device, &samples.h2d, &samples.d2h, &samples.start})
    series->resize(4);
  report.subject.graph = true;
  report.plan.stop = "failed";
  report.failure = {"device_unusable", "the device was lost: an illegal memory access", "see dmesg"};
  report.audit.bound.clear();
  report.warnings = {{"steal", {{"percent", "3 %"}}}};
  resummarise(report);
  return report;
}

}  // namespace lapse::report::example
