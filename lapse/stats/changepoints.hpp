#pragma once
// Where the level or the spread of a series changes.
//
// PELT (Killick, Fearnhead & Eckley, Optimal Detection of Changepoints With a Linear Computational Cost, JASA 107:1590, 2012): the
// segmentation with the least sum of costs plus a penalty for each change, exactly. The cost of a segment is -2 times the log-likelihood of
// independent normal values with a mean and a variance of their own; the penalty is 15 ln n (Barrett, Bolz-Tereick, Killick, Mount & Tratt,
// Virtual Machine Warmup Blows Hot and Cold, OOPSLA 2017, section 4.2).

#include <cstddef>
#include <span>
#include <vector>

namespace lapse::stats {

/// Where segments begin, ascending, without 0; none is shorter than `shortest` (≥ 2). `series` is independent as far as levels allow, and
/// of variance about 1: spreads below a thousandth of that count as one, so that equal values are no discovery. Time: linear in the length
/// where changes are many, quadratic where there is none; 4,000 values take some 50 ms.
std::vector<std::size_t> changepoints(std::span<const double> series, std::size_t shortest);

}  // namespace lapse::stats
