#pragma once
// What was seen of a device while it was measured on, apart from the samples: readings only. What follows from them is judge.hpp's.

#include <cstddef>
#include <cstdint>
#include <lapse/base/time.hpp>
#include <lapse/device/controls.hpp>
#include <lapse/measure/sample.hpp>
#include <optional>
#include <vector>

namespace lapse::measuring {

/// One look after a run that was complete as far as its call (blocking) or its marks (asynchronous) tell.
struct Look {
  Duration device{};      // what the marks told of that run
  Duration end_to_end{};  // what the host told
  Duration left{};        // for how much longer the device was busy with anything at all
};

/// The same inference behind a backlog: the device has something to do until all of it is submitted, so it never waits for the host.
struct Backlog {
  Duration device{};
  bool held = false;  // the backlog lasted until the call returned; otherwise the run tells nothing
};

struct Evidence {
  bool examined = false;                  // there is a device to ask, and the plan wanted it asked
  Duration empty_synchronize{};           // what a device-wide synchronise costs when there is nothing to wait for; taken off every look
  Duration empty_pair{};                  // device time between two marks with nothing between them: reported, never subtracted
  std::vector<Look> alone;                // after single runs on an idle device, before the warm-up
  std::optional<Backlog> single_backlog;  // one such run more, behind a backlog: marks round an idle stream read as nothing there
  std::vector<Look> between;              // after the last run of a batch, between timed batches; `left` may be that of several runs
  std::vector<Backlog> backlogs;          // empty: not needed (a call too short to leave gaps), or no time for them
  bool no_time_for_backlogs = false;      // they were needed, and there are none
  std::optional<Duration> fetch;          // bringing the outputs to the host after a run was complete
  std::optional<Sample> idle;             // medians of calls on an idle device, part by part; start means nothing
  Duration spent{};                       // by all of this, in wall time
  Duration allowed{};                     // how much it might take

  std::vector<device::ClockReading> clocks;  // during warm-up and timed runs, in order; empty: nobody could tell
  double max_mhz = 0.0;                      // 0: not known

  /// Device times behind those backlogs that held.
  std::vector<Duration> held() const;
  /// Their median: all work and no gaps. Nothing where none held.
  std::optional<Duration> work() const;
};

}  // namespace lapse::measuring
