#pragma once
// How wrong is each way of timing, on this device, here and now? Work of known length is timed by all of them, and the device's own timer,
// read by the work itself, is the truth.

#include <lapse/base/error.hpp>
#include <lapse/device/timeline.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lapse::measuring {

/// What one method read, against the truth of the same runs: reading minus truth.
struct Discrepancy {
  Duration median{};  // signed
  Duration worst{};   // signed, of the run that was furthest off
};

struct TruthRow {
  Duration asked{};  // length of the work
  Duration truth{};  // median of what the device's own timer said of it
  std::size_t runs = 0;
  Discrepancy marks;                   // between two marks round it: CUDA events
  Discrepancy synchronised;            // the host's clock, until the device was done
  Discrepancy call;                    // the host's clock round the call alone
  std::optional<Discrepancy> witness;  // what the vendor's profiling interface recorded, in runs of its own
};

struct Truth {
  std::vector<TruthRow> rows;
  Duration empty_pair{};      // between two marks with nothing between them: reported, never subtracted
  Duration empty_work{};      // between two marks round work that does nothing
  std::string witness;        // its name; empty: there is none here
  std::string witness_error;  // why it could not be asked, where it is there
};

/// 5 µs to 50 ms.
std::span<const Duration> default_lengths() noexcept;

/// Takes about a second and a half. Errors: BadUse when the timeline's device is not asynchronous; those of the timeline.
Result<Truth> find_truth(device::Timeline& timeline, std::span<const Duration> lengths = default_lengths());

/// Is a reading that is off by so much as good as asked for: within 1 %, or 2 µs where that is more?
bool within_goal(Duration discrepancy, Duration truth) noexcept;

}  // namespace lapse::measuring
