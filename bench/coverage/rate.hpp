#pragma once
// A rate that was counted, with the Monte-Carlo error of counting it: Wilson's score interval (JASA 22:209, 1927), 95 %.

#include <cmath>
#include <cstddef>

namespace lapse::bench {

struct Rate {
  std::size_t hits = 0, of = 0;

  void count(bool hit) noexcept {
    hits += hit;
    ++of;
  }
  double value() const noexcept { return of == 0 ? NAN : static_cast<double>(hits) / static_cast<double>(of); }
  double low() const noexcept { return limit(-1.0); }
  double high() const noexcept { return limit(1.0); }
  /// Not excluded by the 95 % bound. What was never counted shows nothing.
  bool may_lie_in(double least, double most) const noexcept { return of != 0 && high() >= least && low() <= most; }

 private:
  double limit(double side) const noexcept {
    if (of == 0) return NAN;
    constexpr double kZ = 1.959964;
    const double n = static_cast<double>(of), p = value();
    return (p + kZ * kZ / (2 * n) + side * kZ * std::sqrt((p * (1 - p) + kZ * kZ / (4 * n)) / n)) / (1 + kZ * kZ / n);
  }
};

}  // namespace lapse::bench
