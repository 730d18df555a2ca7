#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <lapse/base/time.hpp>

namespace lapse {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};

// µ as micro sign (U+00B5) and as Greek letter (U+03BC): both are written, and look the same.
constexpr std::array kUnits{Unit{"ns", 1.0}, Unit{"us", 1e3},   Unit{"\u00B5s", 1e3}, Unit{"\u03BCs", 1e3}, Unit{"ms", 1e6},
                            Unit{"s", 1e9},  Unit{"min", 60e9}, Unit{"m", 60e9},      Unit{"h", 3600e9}};

}  // namespace

std::optional<double> nanoseconds_of(std::string_view unit) {
  const auto found = std::ranges::find(kUnits, unit, &Unit::name);
  return found == kUnits.end() ? std::nullopt : std::optional{found->nanoseconds};
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::BadInput, fmt::format("'{}' is not a duration", text), "write a number and a unit, such as 50us, 5ms or 30s");
  };
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || !std::isfinite(number) || number < 0) return bad();
  const std::string_view unit_name = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit_name.empty() && number == 0) return Duration{0};
  const auto unit = nanoseconds_of(unit_name);
  if (!unit || number * *unit > kLongestDuration) return bad();
  return Duration{std::llround(number * *unit)};
}

std::string format_nanoseconds(double ns) {
  const double size = std::abs(ns);
  const auto with = [](double value, std::string_view unit) {
    const double magnitude = std::abs(value);
    const int decimals = magnitude < 9.9995 ? 3 : magnitude < 99.995 ? 2 : 1;  // where rounding would add a fifth figure
    return fmt::format("{:.{}f} {}", value, decimals, unit);
  };
  // A hair below each power of ten, so that 999.96 µs reads "1.000 ms" and not "1000.0 µs".
  if (size < 999.95) return with(ns, "ns");
  if (size < 999.95e3) return with(ns / 1e3, "µs");
  if (size < 999.95e6) return with(ns / 1e6, "ms");
  return with(ns / 1e9, "s");
}

}  // namespace lapse
