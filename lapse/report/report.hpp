#pragma once
// A finished measurement as data: what text, JSON, CSV and Markdown are made from. Reporting knows no clock and no engine.
// JSON keys and units: docs/json.md (schema "lapse.result/1"). Durations here are nanoseconds.

#include <cstdint>
#include <lapse/host/fingerprint.hpp>
#include <lapse/measure/warning.hpp>
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
  std::string scenario;  // "single-stream", "offline"
  std::int64_t in_flight = 1;
  std::int64_t input_sets = 1;
  std::vector<TensorRow> inputs;
  std::vector<TensorRow> outputs;  // of the first inference
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
  std::uint64_t peak = 0;      // bytes resident at the most, from before loading until the end, over what was resident before
  bool whole_process = false;  // true where the peak could not be reset: then peak is that of the whole process
};

struct Series {  // raw, in the order of the runs
  std::vector<double> end_to_end, submit, device;
};

struct SummaryRow {
  stats::Summary end_to_end, submit, device;
};

struct PlanRow {
  double precision = 0.0;  // asked for
  double reached = 0.0;    // relative half-width of the median's interval; infinite when there is none
  double budget_ns = 0.0;
  std::string stop;            // "precision", "budget", "max-runs", "interrupted"
  std::string warmup_verdict;  // "settled", "not-settled", "too-short", "fixed"
  std::int64_t discarded = 0;
};

struct Report {
  std::string created;  // UTC, ISO 8601
  std::vector<std::string> argv;
  SubjectRow subject;
  host::Fingerprint environment;
  host::Disturbance disturbance;  // during the timed runs
  double load_1min = 0.0;         // before them
  double load_ns = 0.0;           // cold: load …
  double first_ns = 0.0;          // … and first inference, end to end
  PlanRow plan;
  AnswerRow answer;
  MemoryRow memory;
  Series samples;
  SummaryRow summary;
  double throughput_per_s = 0.0;  // items (inferences × batch) a second
  measuring::Warnings warnings;
};

}  // namespace lapse::report
