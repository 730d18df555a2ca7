#pragma once
// Has a warm-up gone on for long enough? Roughly, for the plan's own loop and for turns alike: the course of the runs tells afterwards.

namespace lapse::measuring {

/// Medians of a stretch of runs and of the one before: below 97 % of it, the times still fall.
inline bool still_faster(double now, double before) noexcept { return now < 0.97 * before; }

}  // namespace lapse::measuring
