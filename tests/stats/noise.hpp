#pragma once
// Series whose statistics are known, the same on every machine: the generator and its transform are spelt out, as the standard library's
// distributions are not.

#include <cmath>
#include <cstdint>
#include <lapse/stats/normal_scores.hpp>
#include <vector>

namespace lapse::stats {

class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed) {}

  /// In (0, 1): SplitMix64.
  double uniform() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (static_cast<double>((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
  }
  double normal() { return normal_quantile(uniform()); }

  /// 1 + `deviation` times an AR(1) with normal margins; phi 0: independent.
  std::vector<double> around_one(std::size_t count, double deviation, double phi = 0.0) {
    std::vector<double> out;
    double state = normal();
    for (std::size_t i = 0; i < count; ++i) {
      out.push_back(1.0 + deviation * state);
      state = phi * state + std::sqrt(1.0 - phi * phi) * normal();
    }
    return out;
  }

 private:
  std::uint64_t state_;
};

}  // namespace lapse::stats
