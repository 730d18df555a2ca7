#pragma once
// The mean of a series with an interval that allows for neighbours that are alike.
//
// Runs in flight together wait for each other, and clocks drift: neighbouring times resemble each other, and the interval of independent
// samples would be too narrow. Method of batch means: the series is cut into 20 stretches, and Student's t taken over their means
// (Law, Simulation Modeling and Analysis, 9.5.3; 10 to 30 stretches: Schmeiser, Operations Research 30:556, 1982). It assumes that
// stretches are independent, and their means near to normal.

#include <cstddef>
#include <lapse/stats/quantile.hpp>
#include <optional>
#include <span>

namespace lapse::stats {

inline constexpr std::size_t kStretches = 20;

/// The mean and its 95 % interval, in the unit of `series`, which is in the order in which it was measured. Where the length is no multiple
/// of 20, the interval leaves out the first few. Nothing for fewer than 20.
std::optional<Estimate> mean_of_series(std::span<const double> series);

}  // namespace lapse::stats
