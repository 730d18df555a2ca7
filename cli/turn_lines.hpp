#pragma once
// What a parent and its child say to each other, a line at a time, where the child is measured in turns:
//
//   child   ready                     it has loaded and checked its model, and waits
//   parent  warm-up NS | block NS     its turn: for how long
//   child   done RUNS MEDIAN TOOK rested|restless   what came of it (measuring::Block, nanoseconds), and whether it waits in peace
//   parent  end
//   child   report, and the report behind it until its stdout ends

#include <lapse/measure/turns.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lapse::cli {

inline constexpr std::string_view kReady = "ready";
inline constexpr std::string_view kEnd = "end";
inline constexpr std::string_view kReport = "report";

struct TurnDone {
  measuring::Block block;
  bool rested = true;  // false: it went on using a CPU after its turn
};

std::string line_of(const measuring::Turn& turn);
std::string line_of(const TurnDone& done);
/// Nothing when it is no such line.
std::optional<measuring::Turn> read_turn(std::string_view line);
std::optional<TurnDone> read_done(std::string_view line);

}  // namespace lapse::cli
