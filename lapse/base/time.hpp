#pragma once
// Durations as people write and read them: "50us", "1.5 s".

#include <chrono>
#include <lapse/base/error.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lapse {

using Duration = std::chrono::nanoseconds;

/// Nanoseconds of a unit: ns, us or µs, ms, s, min or m, h. Nothing for another word.
std::optional<double> nanoseconds_of(std::string_view unit);

/// The longest time that a Duration holds, in nanoseconds: about 285 years.
inline constexpr double kLongestDuration = 9.0e18;

/// Reads a non-negative decimal number followed by ns, us, µs, ms, s, min (or m) or h: "50us", "1.5s", "2m".
/// A bare "0" needs no unit. Error: BadInput.
Result<Duration> parse_duration(std::string_view text);

/// Four significant figures with the unit that fits: "410.0 ns", "5.053 ms", "1.200 s". `ns` may be fractional.
std::string format_nanoseconds(double ns);
inline std::string format(Duration duration) { return format_nanoseconds(static_cast<double>(duration.count())); }

}  // namespace lapse
