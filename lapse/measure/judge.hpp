#pragma once
// Says of each rule of the audit whether the evidence breaks it. Pure: no clock, no device.

#include <cstdint>
#include <lapse/measure/evidence.hpp>
#include <lapse/measure/sample.hpp>
#include <lapse/measure/warning.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::measuring {

enum class Rule {
  PendingOnReturn,  // declared blocking, but work is pending on return
  OtherStream,      // the work ran on another stream than the marks
  SideStream,       // work on a side stream is not joined
  LaunchGaps,       // the device waited for the host between pieces of work: the marks hold gaps
  OutputsOnDevice,  // the outputs are not on the host when the run is complete: a copy is outside the marks
  Clocks,           // the clock fell, or something held it down
};
std::string_view name(Rule rule) noexcept;

enum class Verdict {
  Clean,
  Found,
  NotExamined,  // `reason` says why
};
std::string_view name(Verdict verdict) noexcept;

struct Finding {
  Rule rule = Rule::PendingOnReturn;
  Verdict verdict = Verdict::Clean;
  std::string reason;  // of NotExamined: "no-time", "self-synchronising", "other-stream", "blocking", "asynchronous", "no-reading"
  Warning warning;     // of Found
};

/// One finding a rule, in their order; none when nothing was examined. Thresholds and their reasons: judge.cpp.
std::vector<Finding> judge(const Evidence& evidence, std::span<const Sample> samples, bool asynchronous);

/// Of bits of device::ClockReason: "power cap, thermal".
std::string reason_names(std::uint32_t reasons);

/// What bounds the time of an asynchronous subject.
enum class Bound {
  Unknown,
  Launch,  // the host takes longer to submit the work than the device to do it
  Device,
};
std::string_view name(Bound bound) noexcept;
/// Medians. The device's time is the one behind a backlog, where there is one: gaps are no work.
Bound bound(Duration submit, Duration device) noexcept;

}  // namespace lapse::measuring
