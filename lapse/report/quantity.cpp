#include <fmt/format.h>

#include <cmath>
#include <lapse/base/time.hpp>
#include <lapse/report/quantity.hpp>
#include <string_view>

namespace lapse::report {
namespace {

constexpr const char* kUnknown = "?";

/// `digits` is a plain decimal number: "30.00" → "30", "1.50" → "1.5".
std::string without_trailing_zeros(std::string digits) {
  if (digits.find('.') == std::string::npos) return digits;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string duration(double ns) { return std::isfinite(ns) ? format_nanoseconds(ns) : kUnknown; }

std::string duration_range(double low_ns, double high_ns) {
  const std::string low = duration(low_ns), high = duration(high_ns);
  const std::size_t low_unit = low.find(' '), high_unit = high.find(' ');
  if (low_unit == std::string::npos || high_unit == std::string::npos) return kUnknown;
  const bool same_unit = std::string_view(low).substr(low_unit) == std::string_view(high).substr(high_unit);
  return fmt::format("{} … {}", same_unit ? low.substr(0, low_unit) : low, high);
}

std::string round_duration(double ns) {
  const std::string exact = duration(ns);
  const std::size_t unit = exact.find(' ');
  return unit == std::string::npos ? exact : without_trailing_zeros(exact.substr(0, unit)) + exact.substr(unit);
}

std::string percent(double share) {
  if (!std::isfinite(share)) return kUnknown;
  const double value = share * 100;
  if (value > 0 && value < 0.005) return "< 0.01 %";  // never "0 %" for what is not nothing
  if (value > 1e6) return fmt::format("{:.1e} %", value);
  const int decimals = value < 0.995 ? 2 : value < 9.95 ? 1 : 0;
  return without_trailing_zeros(fmt::format("{:.{}f}", value, decimals)) + " %";
}

std::string rate(double per_second) {
  if (!std::isfinite(per_second) || per_second < 0) return kUnknown;
  if (per_second < 9.9995) return fmt::format("{:.3f}", per_second);
  if (per_second < 99.995) return fmt::format("{:.2f}", per_second);
  if (per_second < 999.95) return fmt::format("{:.1f}", per_second);
  if (per_second > 1e15) return fmt::format("{:.3e}", per_second);
  return grouped(static_cast<std::uint64_t>(std::llround(per_second)));
}

std::string factor(double ratio) {
  if (!std::isfinite(ratio) || ratio < 0) return kUnknown;
  if (ratio < 9.95) return fmt::format("{:.1f}", ratio);
  return ratio > 1e15 ? fmt::format("{:.1e}", ratio) : grouped(static_cast<std::uint64_t>(std::llround(ratio)));
}

std::string bytes(std::uint64_t count) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const double mebibytes = static_cast<double>(count) / kMiB;
  if (mebibytes < 9.95) return fmt::format("{:.1f} MiB", mebibytes);
  if (mebibytes < 1023.5) return fmt::format("{:.0f} MiB", mebibytes);
  return fmt::format("{:.2f} GiB", mebibytes / 1024.0);
}

std::string tolerance(double value) { return std::isfinite(value) ? fmt::format("{:g}", value) : kUnknown; }

}  // namespace lapse::report
