#pragma once
// What every form for people says about a report, in words and in order, before it is laid out: text puts it into columns, Markdown into
// tables. Strings are as they came (a model's names may hold anything): each form makes them safe in its own way.

#include <lapse/report/latency.hpp>
#include <lapse/report/messages.hpp>
#include <string>
#include <vector>

namespace lapse::report {

struct Row {
  std::string label;  // empty: belongs to the row above
  std::string value;
};

/// Words and numbers in columns. Nothing is shown of one without rows.
struct Table {
  std::string heading;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};

struct Outline {
  std::vector<std::string> alerts;  // to be read before any number: it was interrupted, it failed, its times are wrong
  std::string title;                // "model.onnx · onnxruntime 1.30.0 · cpu · 2 threads · batch 1"
  std::vector<Row> setup;           // inputs, answer, what is timed
  std::vector<Row> before;          // cold start, warm-up
  Row throughput;
  bool throughput_first = false;  // offline: it is what was asked for
  Latency latency;
  Table idle;
  std::vector<Row> after;  // what disturbed it, what bounds it, audit, memory, device, machine, why it stopped, a note
  std::vector<Message> warnings;
};

Outline outline(const Report& report, Language language);

/// What was measured in one line: "model.onnx · onnxruntime 1.30.0 · cpu · 2 threads · batch 1".
std::string title(const SubjectRow& subject, Language language);
/// What a machine is in one line: "AMD EPYC 9B14 · 2 of 8 CPUs · governor powersave · in a VM (kvm)". Empty where nothing is known of it.
std::string machine(const host::Fingerprint& host, Language language);

}  // namespace lapse::report
