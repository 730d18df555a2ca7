#pragma once
// What takes the CPU from this process, as counters that only grow: to be read before and after a stretch of work.

#include <cstdint>
#include <lapse/base/time.hpp>
#include <memory>

namespace lapse::host {

class ControlGroup;

struct Interruptions {
  Duration stolen{};                       // by the hypervisor, from all CPUs together; the kernel tells it in ticks, mostly of 10 ms
  std::uint64_t throttled_periods = 0;     // in which the control group was out of CPU time
  std::uint64_t involuntary_switches = 0;  // from a thread of this process that would have gone on, or yielded
  Duration waited{};                       // by threads of this process that had work but no CPU, together; 0 where the kernel doesn't tell
};

/// A reading opens few files and takes some tens of microseconds, and ten for each thread.
class InterruptionCounters {
 public:
  InterruptionCounters();
  ~InterruptionCounters();

  Interruptions read() const;

 private:
  std::unique_ptr<ControlGroup> group_;
};

}  // namespace lapse::host
