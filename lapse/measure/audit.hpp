#pragma once
// Looks at a finished measurement for what would make its number wrong, and names it.

#include <lapse/measure/model.hpp>
#include <lapse/measure/warning.hpp>
#include <lapse/stats/summary.hpp>

namespace lapse::measuring {

/// Summaries of the three series of a measurement. Nanoseconds.
struct Summaries {
  stats::Summary submit, device, end_to_end;
};
Summaries summarise(const std::vector<Sample>& samples);

/// What the plan asked for, what came out, and where it was measured. Thresholds and their reasons: audit.cpp.
Warnings audit(const PreparedModel& model, const Plan& plan, const ModelTiming& timing, const Summaries& summaries,
               const host::Fingerprint& machine);

}  // namespace lapse::measuring
