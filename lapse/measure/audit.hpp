#pragma once
// Looks at a finished measurement for what would make its number wrong, and names it.

#include <lapse/measure/model.hpp>
#include <lapse/measure/timing.hpp>
#include <lapse/measure/warning.hpp>

namespace lapse::measuring {

/// What the plan asked for and what came out, on that machine, of any subject. Thresholds and their reasons: audit.cpp; those of the rules
/// about the device: judge.cpp.
Warnings audit(const Plan& plan, const Timing& timing, const Summaries& summaries, const host::Fingerprint& machine);

/// The same of a model: its inputs, outputs, threads and memory too.
Warnings audit(const PreparedModel& model, const Plan& plan, const ModelTiming& timing, const Summaries& summaries,
               const host::Fingerprint& machine);

}  // namespace lapse::measuring
