#pragma once
// How good is a clock, and how long is a thread left alone that does nothing but read it?
//
// A thread reads the clock as fast as it can. The smallest step that it sees is what the clock resolves; the time that a reading takes is
// what a measurement pays for it. A step much longer than that is time in which the thread did not run: an interrupt, another process, the
// hypervisor. (Petrini, Kerbyson & Pakin, "The Case of the Missing Supercomputer Performance", SC 2003; the kernel's own osnoise tracer,
// Documentation/trace/osnoise-tracer.rst, finds gaps the same way.)

#include <cstddef>
#include <lapse/device/timeline.hpp>

namespace lapse::measuring {

struct ClockQuality {
  double reading_ns = 0.0;     // what one reading takes, the gaps left out
  Duration resolution{};       // the smallest step
  std::size_t backward = 0;    // readings before the one before them
  Duration watched{};          // how long the clock was read
  std::size_t gaps = 0;        // steps of kGap and more …
  Duration lost{}, longest{};  // … their sum, and the longest
};

/// The timer interrupt takes a microsecond or two, another process tens: shorter gaps are the reading itself.
inline constexpr Duration kGap = std::chrono::microseconds{2};

/// Blocks for `time` on this thread. The clock has to go on by itself: not one of virtual time.
ClockQuality examine_clock(device::Timeline& timeline, Duration time);

}  // namespace lapse::measuring
