#pragma once
// A finished measurement as data: what text, JSON, CSV and Markdown are made from. Reporting knows no clock and no engine.
// JSON keys and units: docs/json.md (schema "lapse.result/1"). Durations here are nanoseconds.

#include <cstdint>
#include <lapse/host/fingerprint.hpp>
#include <lapse/measure/tag.hpp>
#include <lapse/measure/warning.hpp>
#include <lapse/stats/course.hpp>
#include <lapse/stats/summary.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lapse::report {

struct TensorRow {
  std::string name;
  std::string dtype;  // "float32"
  std::vector<std::int64_t> shape;
  std::string source;  // of an input: "normal, seed 0" or a file; empty for an output
};

struct SubjectRow {
  std::string model;   // as the user named it
  std::string engine;  // "onnxruntime"
  std::string engine_version;
  std::string engine_library;  // file; empty for a built-in engine
  std::string device;          // "cpu"
  int threads = 0;             // 0: not known
  std::int64_t batch = 1;
  bool asynchronous = false;
  std::string transfers;    // "pinned", "pageable", "none"; empty: no memory but the host's
  bool graph = false;       // the forward pass was launched as a captured graph
  bool cold_cache = false;  // the device's last-level cache was flushed before each run
  std::int64_t streams = 1;
  std::string scenario;  // "single-stream", "offline"
  std::int64_t in_flight = 1;
  std::int64_t input_sets = 1;
  std::vector<TensorRow> inputs;
  std::vector<TensorRow> outputs;  // of the first inference
};

/// The device that was measured on, where it is not the host.
struct DeviceRow {
  std::string name, driver, runtime;
  std::uint64_t memory = 0;  // bytes, in all
};

/// Were the outputs compared with expected ones?
struct AnswerRow {
  std::string verdict = "unchecked";  // "unchecked", "correct", "random" (differs from run to run on the same input, so can't be checked)
  std::int64_t sets = 0;              // input sets that had expected outputs
  double relative_tolerance = 0.0;
  double absolute_tolerance = 0.0;
  double largest_difference = 0.0;  // |got - expected|
};

struct MemoryRow {
  std::uint64_t peak = 0;         // bytes resident at the most, from before loading until the end, over what was resident before
  std::uint64_t device_peak = 0;  // bytes of the device's memory at the most, over what was in use before; 0: not known
  bool whole_process = false;     // true where the peak could not be reset: then peak is that of the whole process
};

struct Series {  // raw, in the order of the runs
  std::vector<double> end_to_end, submit, device;
  std::vector<double> h2d{}, d2h{};    // empty where an inference has no such stages
  std::vector<double> start{};         // of the call, after that of the first; may be empty (a result of an older lapse)
  std::vector<double> warmup{};        // end to end, of the runs that were discarded, at most the first 10,000; may be empty
  std::vector<std::size_t> blocks{};   // how many runs each turn made, in order; empty where there were no turns
  std::vector<measuring::Tag> tags{};  // of the runs that were disturbed, in order
};

struct SummaryRow {
  stats::Summary end_to_end, submit, device;
  stats::Summary h2d{}, d2h{};   // count 0 where there are no such stages
  stats::Summary undisturbed{};  // end to end, of the runs without a tag; count 0 where there is no tag either
};

/// The runs that came after one pause.
struct IdleRow {
  double gap_ns = 0.0, slept_ns = 0.0;  // asked for, and what it was (median)
  double mhz = 0.0;                     // the device's clock after a run, median; 0: not known
  Series samples;
  SummaryRow summary;
};

/// What the audit says of one of its rules.
struct RuleRow {
  std::string rule;     // "launch-gaps"
  std::string verdict;  // "clean", "found", "not-examined"
  std::string reason;   // why not: "no-time", …
};

struct AuditRow {
  std::vector<RuleRow> rules;  // none: there was no device to ask, or it was told not to
  double spent_ns = 0.0;
  double idle_submit_ns = 0.0, idle_end_to_end_ns = 0.0;  // of one call on an idle device; 0: not known
  double backlog_device_ns = 0.0;  // device time of one call behind a backlog, median: work without gaps; 0: not known
  double empty_pair_ns = 0.0;      // device time between two marks with nothing between them
  std::string bound;               // "launch", "device"; empty: not known
};

struct PlanRow {
  double precision = 0.0;  // asked for
  double reached = 0.0;    // relative half-width of the median's interval; infinite when there is none
  double budget_ns = 0.0;
  std::string stop;            // "precision", "budget", "max-runs", "interrupted", "failed"
  std::string warmup_verdict;  // of the course of the timed runs: "flat", "warm-up", "slowdown", "no-steady-state", "too-short"
  std::int64_t discarded = 0;
  bool warmup_asked = false;               // as many were discarded as was asked for
  double warmup_cost_ns = 0.0;             // what the discarded runs took longer than so many steady ones
  double cycle = 0.0;                      // runs that one cycle takes; 0: there is none
  std::vector<stats::Segment> segments{};  // levels of the timed runs, those that were moved to the discarded included
};

/// The figures are of one level: it was flat, or the warm-up is not among them.
inline bool steady(const PlanRow& plan) {
  return plan.warmup_verdict == "flat" || (plan.warmup_verdict == "warm-up" && !plan.warmup_asked);
}

/// One of the fresh processes that a measurement was made in.
struct ProcessRow {
  std::int64_t count = 0;      // of its samples; those of all processes stand one behind the other
  std::int64_t discarded = 0;  // warm-up
  std::string verdict;         // of its warm-up
  double load_ns = 0.0, first_ns = 0.0;
};

struct FailureRow {
  std::string code, message, hint;
};

struct Report {
  std::string created;  // UTC, ISO 8601
  std::vector<std::string> argv;
  SubjectRow subject;
  host::Fingerprint environment;
  DeviceRow device;
  host::Disturbance disturbance;  // during the timed runs
  double load_1min = 0.0;         // before them
  double load_ns = 0.0;           // cold: load …
  double first_ns = 0.0;          // … and first inference, end to end
  PlanRow plan;
  AnswerRow answer;
  MemoryRow memory;
  Series samples;
  std::vector<ProcessRow> processes;  // empty: it was one
  SummaryRow summary;
  std::vector<IdleRow> idle;  // one a pause, in the order that they were asked for
  AuditRow audit;
  std::optional<FailureRow> failure;  // what ended a measurement that stopped with "failed"
  double throughput_per_s = 0.0;      // items (inferences × batch) a second
  measuring::Warnings warnings;
};

}  // namespace lapse::report
