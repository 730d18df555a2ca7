#pragma once
// What every form for people says about a report, in words and in order, before it is laid out: text puts it into columns, Markdown into
// tables. Strings are as they came (a model's names may hold anything): each form makes them safe in its own way.

#include <lapse/report/messages.hpp>
#include <lapse/report/render.hpp>
#include <string>
#include <vector>

namespace lapse::report {

struct Row {
  std::string label;  // empty: belongs to the row above
  std::string value;
};

/// One line of the table of latencies.
struct LatencyRow {
  std::string label;
  std::string value;
  std::string interval;  // of a quantile; of the mean what else there is to say
  std::string error;     // "± 0.25 %"; may be empty
  bool nested = false;   // a percentile of the row above it
};

struct Latency {
  std::string heading;   // "latency (812 runs)"
  std::string interval;  // "95 % interval": what stands in that column
  std::vector<LatencyRow> rows;
  std::string submit_alone;  // how wrong a clock round the call would have been; empty on a blocking subject, or where all times are wrong
  std::string histogram;     // bars, one character a cell; empty when there is nothing to draw
  std::string range;         // of the histogram, in words
};

struct Outline {
  std::vector<std::string> alerts;  // to be read before any number: it was interrupted, it failed, its times are wrong
  std::string title;                // "model.onnx · onnxruntime 1.30.0 · cpu · 2 threads · batch 1"
  std::vector<Row> setup;           // inputs, answer, what is timed
  std::vector<Row> before;          // cold start, warm-up
  Row throughput;
  bool throughput_first = false;  // offline: it is what was asked for
  Latency latency;
  std::vector<Row> after;  // what bounds it, audit, memory, device, machine, why it stopped, a note
  std::vector<Message> warnings;
};

Outline outline(const Report& report, Language language);

/// What a machine is in one line: "AMD EPYC 9B14 · 2 of 8 CPUs · governor powersave · in a VM (kvm)". Empty where nothing is known of it.
std::string machine(const host::Fingerprint& host, Language language);

}  // namespace lapse::report
