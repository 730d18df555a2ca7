#pragma once
// Families of made-up timing series, whose true quantiles are known exactly.
//
// Values are multiples of a base duration. Each family's steady part is a mixture of normal distributions, or log-normal; AR(1) noise has
// the same normal marginal as independent noise, and so the same quantiles. The unsteady families have none: no one figure is true of them.

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace lapse::bench {

/// The next value of the series each time that it is called.
using Series = std::function<double()>;

struct Family {
  std::string_view name, what;
  Series (*series)(std::uint64_t seed);
  double (*quantile)(double p);  // of the steady part; null: there is none
  double mean = NAN;             // of the steady part
  bool warms_up = false;         // steady, but for its beginning

  bool steady() const noexcept { return quantile != nullptr; }
};

/// Unsteady families change by 5 %, three times their noise's standard deviation, over so many runs.
inline constexpr std::size_t kUnsteadyRuns = 1000;

std::span<const Family> families();

/// A seed of its own for each replicate of each family, whichever others are asked for.
std::uint64_t seed_of(std::uint64_t seed, std::string_view family, std::size_t replicate);

}  // namespace lapse::bench
