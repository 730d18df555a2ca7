#pragma once
// A sweep: one model measured at many points, a point being a batch, a number of threads and of inferences in flight, an engine and a
// device. Data, what follows from them, and their forms: text (Korean, English), JSON ("lapse.sweep/1", docs/json.md), CSV.

#include <lapse/host/fingerprint.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/report.hpp>
#include <lapse/stats/summary.hpp>
#include <lapse/stats/trade_off.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::report {

enum class PointState { Measured, OutOfMemory, Failed };
std::string_view name(PointState state) noexcept;

struct SweepPoint {
  std::int64_t batch = 0;  // 0: as the model has it, which a point that was not measured doesn't tell; so with the next ones
  int threads = 0;
  std::int64_t in_flight = 1;
  std::string engine, device;

  PointState state = PointState::Measured;
  std::string reason;  // of a point that was not measured: one line

  std::string engine_version;
  std::string device_name;            // "NVIDIA H100 80GB HBM3"; empty where it is the host
  stats::Summary latency;             // end to end, nanoseconds
  stats::Estimate throughput;         // items a second; low and high are not finite where there are too few runs for an interval
  std::vector<std::string> warnings;  // codes
  bool times_wrong = false;           // by the audit: such a point is in the table and in nothing that follows from it
};

/// What a measurement says of its point: everything but what was asked for.
SweepPoint sweep_point(const Report& report);

/// A limit to a quantile of the latency.
struct Slo {
  std::string quantile = "p99";  // one of stats::kQuantiles
  double limit_ns = 0.0;

  const stats::NamedQuantile& which() const { return *stats::find_quantile(quantile); }
};

struct Sweep {
  std::string created;  // UTC, ISO 8601
  std::vector<std::string> argv;
  std::string model;
  host::Fingerprint environment;
  std::string folder;       // where each point's own measurement is
  std::size_t planned = 0;  // points asked for: more than there are when it was interrupted
  std::size_t reused = 0;   // points taken from an earlier run
  std::vector<SweepPoint> points;
  std::optional<Slo> slo;
};

/// What follows from the points. Indices into Sweep::points.
struct SweepFindings {
  std::vector<std::size_t> front;  // by latency (median)
  std::optional<std::size_t> knee;
  std::vector<stats::Verdict> verdicts;  // of each point about the limit; empty without one
  std::optional<std::size_t> best;       // the largest batch within it
};
SweepFindings find(const Sweep& sweep);

std::string to_text(const Sweep& sweep, Language language, bool unicode = true);
/// One row a point.
std::string to_csv(const Sweep& sweep);

inline constexpr std::string_view kSweepSchema = "lapse.sweep/1";
nlohmann::ordered_json to_json(const Sweep& sweep);
std::string to_json_text(const Sweep& sweep);
/// Reads what to_json_text wrote. What follows from the points is computed again. Error: BadInput. Safe on hostile bytes.
Result<Sweep> sweep_from_json(std::string_view text);

}  // namespace lapse::report
