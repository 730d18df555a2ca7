#include "bench/coverage/families.hpp"

#include <array>
#include <cmath>
#include <initializer_list>
#include <numbers>
#include <random>

namespace lapse::bench {
namespace {

using Random = std::mt19937_64;

constexpr double kNoise = 0.03;              // standard deviation of steady noise
constexpr double kChange = 0.05;             // of the unsteady families, and …
constexpr double kSmallNoise = kChange / 3;  // … their noise
constexpr double kLogSpread = 0.1;
constexpr double kSpike = 10.0;
constexpr double kRampRuns = 30.0, kRampDecay = 6.0;  // e^-5 of the ramp is left when it ends

struct Part {
  double weight, mean, deviation;
};
constexpr std::array kNormal{Part{1.0, 1.0, kNoise}};
constexpr std::array kBimodal{Part{0.8, 1.0, kNoise}, Part{0.2, 1.3, kNoise}};
constexpr std::array kRareSpikes{Part{0.995, 1.0, kNoise}, Part{0.005, kSpike, kSpike* kNoise}};
constexpr std::array kSpikes{Part{0.98, 1.0, kNoise}, Part{0.02, kSpike, kSpike* kNoise}};

// Bisection of the distribution function: exact to a double's digits, and fast enough for once a family.
double quantile_of(std::span<const Part> mixture, double p) {
  double low = 0.0, high = 2.0 * kSpike;
  for (int halving = 0; halving < 100; ++halving) {
    const double middle = (low + high) / 2.0;
    double below = 0.0;
    for (const Part& part : mixture) below += part.weight * 0.5 * std::erfc((part.mean - middle) / (part.deviation * std::numbers::sqrt2));
    (below < p ? low : high) = middle;
  }
  return (low + high) / 2.0;
}

template <const auto& mixture>
double mixture_quantile(double p) {
  return quantile_of(mixture, p);
}

template <const auto& mixture>
Series mixture_series(std::uint64_t seed) {
  return [random = Random(seed), normal = std::normal_distribution<>(), uniform = std::uniform_real_distribution<>()]() mutable {
    double place = uniform(random);
    const Part* part = mixture.data();
    while (place >= part->weight && part + 1 < mixture.data() + mixture.size()) place -= (part++)->weight;
    return part->mean + part->deviation * normal(random);
  };
}

constexpr double mean_of(std::span<const Part> mixture) {
  double mean = 0.0;
  for (const Part& part : mixture) mean += part.weight * part.mean;
  return mean;
}

double lognormal_quantile(double p) { return std::exp(kLogSpread / kNoise * (quantile_of(kNormal, p) - 1.0)); }

Series lognormal_series(std::uint64_t seed) {
  return [random = Random(seed), normal = std::normal_distribution<>()]() mutable { return std::exp(kLogSpread * normal(random)); };
}

// Begins in its stationary distribution, so that every value has the marginal's.
Series autoregressive(std::uint64_t seed, double phi) {
  Random random(seed);
  std::normal_distribution<> normal;
  double state = normal(random);
  return [random, normal, state, phi]() mutable {
    const double value = 1.0 + kNoise * state;
    state = phi * state + std::sqrt(1.0 - phi * phi) * normal(random);
    return value;
  };
}

// `level(i)` is that of run number i, in multiples of the base.
template <class Level>
Series around(std::uint64_t seed, double noise, Level level) {
  return [random = Random(seed), normal = std::normal_distribution<>(), noise, level, i = 0.0]() mutable {
    return level(i++) * (1.0 + noise * normal(random));
  };
}

Series ramp(std::uint64_t seed) {
  return around(seed, kNoise, [](double i) { return i < kRampRuns ? 1.0 + std::exp(-i / kRampDecay) : 1.0; });
}

template <int direction>
Series drift(std::uint64_t seed) {
  return around(seed, kSmallNoise, [](double i) { return 1.0 + direction * kChange * i / kUnsteadyRuns; });
}

template <int direction>
Series step(std::uint64_t seed) {
  return around(seed, kSmallNoise, [](double i) { return i < kUnsteadyRuns / 2.0 ? 1.0 : 1.0 + direction * kChange; });
}

template <int periods>
Series cycles(std::uint64_t seed) {
  return around(seed, kSmallNoise,
                [](double i) { return 1.0 + kChange / 2.0 * std::sin(2.0 * std::numbers::pi * periods * i / kUnsteadyRuns); });
}

const std::array kFamilies{
    Family{"normal", "independent, normal, sd 3 %", mixture_series<kNormal>, mixture_quantile<kNormal>, 1.0},
    Family{"log-normal", "independent, log-normal, sigma 0.1", lognormal_series, lognormal_quantile, std::exp(kLogSpread* kLogSpread / 2)},
    Family{"bimodal", "80 % at 1, 20 % at 1.3, each sd 3 %", mixture_series<kBimodal>, mixture_quantile<kBimodal>, mean_of(kBimodal)},
    Family{"ar-0.5", "AR(1), phi 0.5, sd 3 %", [](std::uint64_t seed) { return autoregressive(seed, 0.5); }, mixture_quantile<kNormal>,
           1.0},
    Family{"ar-0.9", "AR(1), phi 0.9, sd 3 %", [](std::uint64_t seed) { return autoregressive(seed, 0.9); }, mixture_quantile<kNormal>,
           1.0},
    Family{"spikes-0.5", "normal, 0.5 % of the runs take 10 times as long", mixture_series<kRareSpikes>, mixture_quantile<kRareSpikes>,
           mean_of(kRareSpikes)},
    Family{"spikes-2", "normal, 2 % of the runs take 10 times as long", mixture_series<kSpikes>, mixture_quantile<kSpikes>,
           mean_of(kSpikes)},
    Family{"warm-up", "30 runs that decay from 2 to 1, then normal", ramp, mixture_quantile<kNormal>, 1.0, true},
    Family{"drift-up", "5 % slower, evenly across 1,000 runs", drift<1>, nullptr},
    Family{"drift-down", "5 % faster, evenly across 1,000 runs", drift<-1>, nullptr},
    Family{"step-up", "5 % slower from run 500 of 1,000 on", step<1>, nullptr},
    Family{"step-down", "5 % faster from run 500 of 1,000 on", step<-1>, nullptr},
    Family{"cycles-10", "10 sine periods of 5 % peak to peak in 1,000 runs", cycles<10>, nullptr},
    Family{"cycles-50", "50 sine periods of 5 % peak to peak in 1,000 runs", cycles<50>, nullptr},
};

}  // namespace

std::span<const Family> families() { return kFamilies; }

std::uint64_t seed_of(std::uint64_t seed, std::string_view family, std::size_t replicate) {
  std::vector<std::uint32_t> words(family.begin(), family.end());
  for (const std::uint64_t part : {seed, std::uint64_t{replicate}}) {
    words.push_back(static_cast<std::uint32_t>(part));
    words.push_back(static_cast<std::uint32_t>(part >> 32));
  }
  std::seed_seq mixed(words.begin(), words.end());
  std::array<std::uint32_t, 2> out{};
  mixed.generate(out.begin(), out.end());
  return std::uint64_t{out[0]} << 32 | out[1];
}

}  // namespace lapse::bench
