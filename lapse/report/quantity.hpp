#pragma once
// Numbers as a report writes them, the same in every language. What is not finite is written "?".

#include <cstdint>
#include <lapse/stats/quantile.hpp>
#include <string>

namespace lapse::report {

/// "3,688".
std::string grouped(std::uint64_t number);
/// "5.053 ms".
std::string duration(double ns);
/// "5.041 … 5.066 ms", or "999.1 µs … 1.002 ms" where the units differ.
std::string duration_range(double low_ns, double high_ns);
/// A limit that a person gave: "30 s", "1.5 min" is "90 s".
std::string round_duration(double ns);
/// Of a share: 0.0025 → "0.25 %", 0.012 → "1.2 %", 0.18 → "18 %".
std::string percent(double share);
/// Three or four figures: "0.124", "197.9", "12,345".
std::string rate(double per_second);
/// "1.3", "101".
std::string factor(double ratio);
/// "143 MiB", "1.43 GiB".
std::string bytes(std::uint64_t count);
/// "0.001", "1e-05".
std::string tolerance(double value);

}  // namespace lapse::report
