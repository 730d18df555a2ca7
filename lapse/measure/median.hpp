#pragma once
// The middle one of some durations, for what needs no interval: thresholds, costs, readings of the audit.

#include <algorithm>
#include <functional>
#include <iterator>
#include <lapse/base/time.hpp>
#include <ranges>
#include <vector>

namespace lapse::measuring {

/// Of what `part` takes from each (a member, a function); of an even number the upper of the two in the middle, of none 0.
template <std::ranges::input_range Range, class Part = std::identity>
Duration median_of(const Range& range, Part part = {}) {
  std::vector<Duration> values;
  std::ranges::transform(range, std::back_inserter(values), part);
  if (values.empty()) return {};
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace lapse::measuring
