#pragma once
// Measures one point of a sweep: a `lapse time` in a process of its own.

#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/report/sweep.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/sweep_axes.hpp"
#include "cli/sweep_folder.hpp"

namespace lapse::cli {

struct PointOutcome {
  report::SweepPoint point;
  std::optional<Error> error;  // of a point that failed
};

/// Measures it and keeps what came of it in `folder`. `options` are those of `lapse time` that all points have in common. `go_on` is asked
/// five times a second. Nothing when it said no. Errors: what ends the sweep (no process, a folder that can't be written).
Result<std::optional<PointOutcome>> measure_point(const std::string& model, const SweepRequest& request,
                                                  const std::vector<std::string>& options, const SweepFolder& folder,
                                                  const std::function<bool()>& go_on);

/// What was asked for stands in the point as it was asked for: "cuda" stays "cuda" and does not become "cuda:0".
report::SweepPoint as_requested(const SweepRequest& request, report::SweepPoint point);

}  // namespace lapse::cli
