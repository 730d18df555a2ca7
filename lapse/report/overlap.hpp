#pragma once
// Synchronous and asynchronous execution beside each other, as a document (lapse.pipeline/1, docs/json.md), as text and as a trace.

#include <lapse/pipeline/figures.hpp>
#include <lapse/report/render.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace lapse::report {

inline constexpr std::string_view kPipelineSchema = "lapse.pipeline/1";

/// An item that was left out.
struct SkippedRow {
  std::string file, reason;
};

/// What was measured, beyond what was found.
struct OverlapSubject {
  std::string model, engine, engine_version, device;
  int threads = 0;  // of one forward pass; 0: not known
  std::int64_t batch = 1;
  bool asynchronous = false;
  std::string source;               // "images", "synthetic"
  std::vector<SkippedRow> skipped;  // at most kSkippedRows of them …
  std::size_t skipped_count = 0;    // … of so many
  std::vector<std::string> argv;
};
inline constexpr std::size_t kSkippedRows = 100;
/// Spans of one round of each way that a document keeps; a trace has all.
inline constexpr std::size_t kSpans = 2000;

nlohmann::ordered_json to_json(const pipeline::Overlap& overlap, const pipeline::OverlapPlan& plan, const OverlapSubject& subject);

/// For a person at a terminal, from such a document. Error: BadInput when it isn't one.
Result<std::string> overlap_text(const nlohmann::ordered_json& document, Language language, bool unicode);

/// Every round in Chrome's trace event format, for Perfetto and chrome://tracing: a process for each way, a lane for each thread and each
/// of the device's streams, all on the host's clock, microseconds from the first round's beginning.
std::string to_trace(const pipeline::Overlap& overlap, const OverlapSubject& subject);

}  // namespace lapse::report
