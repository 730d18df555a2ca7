#pragma once
// `lapse compare --a … --b …`: both sides measured now, in pairs of fresh processes that take turns.
//
// Both of a pair are loaded, checked and warmed up; then one runs a block of about 50 ms, and rests while the other one does.
// So whatever the machine does in the meantime it does to both, and what is left between adjacent blocks is the difference between them.
// Which begins is left to chance (measuring::RoundOrder). A pair of processes is one observation: how memory happens to lie in a process
// stays with it for as long as it lives.

#include <array>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <lapse/report/report.hpp>
#include <string>

#include "cli/command.hpp"

namespace lapse::cli {

struct LiveRequest {
  std::array<std::string, 2> sides;  // as the user wrote them: "model.onnx --threads 1", quoted as a shell has it
  std::size_t pairs = 6;
  Duration budget = std::chrono::seconds{30};  // of warm-up and turns of all pairs together; each has at least two rounds
  double precision = 0.01;                     // told in the reports
  bool force = false;                          // goes on although the first pair can't be compared
};

struct LiveSides {
  std::array<report::Report, 2> sides;  // each of as many processes, whose blocks stand in the order of the rounds
  bool interrupted = false;             // fewer pairs than asked for
};

/// Errors: those of a side, which they name; BadUse of what is written wrongly; Interrupted before the first pair was complete.
Result<LiveSides> measure_live(const LiveRequest& request, const Context& context);

}  // namespace lapse::cli
