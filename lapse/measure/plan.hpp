#pragma once
// How to measure, and for how long. Policy only: no clock, no loop.

#include <cstddef>
#include <lapse/base/time.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace lapse::measuring {

enum class Scenario {
  SingleStream,  // one inference at a time: latency
  Offline,       // `in_flight` at once: throughput
};

struct Plan {
  Scenario scenario = Scenario::SingleStream;
  std::size_t in_flight = 1;     // ≥ 1; more than 1 in Offline only
  std::size_t streams = 1;       // of an asynchronous device, which those in flight take in turn; ≤ in_flight
  std::size_t copy_streams = 0;  // of an asynchronous device, besides, that nothing but copies is put on
  bool graph = false;            // capture the forward pass, and launch it as one graph; asynchronous devices only
  bool cold_cache = false;       // flush the device's last-level cache before every run; SingleStream only
  bool audit = true;             // look for what would make the numbers wrong; takes about a hundredth of the time

  double precision = 0.01;                     // stop when the 95 % interval of the median lies within ± this share of it
  double percentile = 0.9;                     // … and the runs support an interval of this one, too: p90 needs 36 independent ones
  Duration budget = std::chrono::seconds{30};  // of warm-up and timed runs together
  std::size_t min_runs = 1;                    // done whatever the budget says
  std::size_t max_runs = 1'000'000;            // raw samples take 48 bytes each
  std::optional<std::size_t> warmup{};         // runs to discard; nothing: until the times settle
  std::vector<Duration> idle{};                // pauses to measure besides, behind the timed runs (idle.hpp); SingleStream, cache warm
};

/// The precision rule looks only at samples that span half a second: a shorter burst sees neither scheduler ticks nor a clock that is still
/// rising.
inline constexpr Duration kMinTimeForPrecision = std::chrono::milliseconds{500};

enum class Stop { Precision, Budget, MaxRuns, Interrupted, Failed };
std::string_view name(Stop stop) noexcept;
std::string_view name(Scenario scenario) noexcept;

}  // namespace lapse::measuring
