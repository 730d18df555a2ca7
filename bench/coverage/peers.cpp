#include "bench/coverage/peers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/stats/quantile.hpp>
#include <numbers>
#include <numeric>
#include <random>

#include "bench/coverage/subject.hpp"

namespace lapse::bench {
namespace {

constexpr double kNormal95 = 1.96, kNormal90 = 1.645;
constexpr double kAlpha = 0.05;

double seconds(double value) { return value * std::chrono::duration<double>(kBase).count(); }

/// Mean and variance, grown a value at a time (Welford).
struct Moments {
  double n = 0.0, mean = 0.0, squares = 0.0;

  void add(double value) {
    const double before = value - mean;
    mean += before / ++n;
    squares += before * (value - mean);
  }
  double variance() const { return squares / (n - 1.0); }
  double deviation() const { return std::sqrt(variance()); }
  double standard_error() const { return deviation() / std::sqrt(n); }
};

Moments moments(std::span<const double> values) {
  Moments sum;
  for (const double value : values) sum.add(value);
  return sum;
}

PeerMeasured around(std::vector<double> values, double value, double half_width, std::size_t runs) {
  return {std::move(values), value, value - half_width, value + half_width, runs};
}

double take_mean(const Series& next, std::size_t runs) {
  double sum = 0.0;
  for (std::size_t i = 0; i < runs; ++i) sum += next();
  return sum / static_cast<double>(runs);
}

bool disjoint(const PeerMeasured& a, const PeerMeasured& b, std::uint64_t) { return a.high < b.low || b.high < a.low; }

// --- the textbook: until 1.96 standard errors are 1 % of the mean, from 30 runs on
PeerMeasured textbook(const Series& next, std::uint64_t) {
  constexpr double kFewest = 30.0, kPrecision = 0.01;
  std::vector<double> values;
  Moments sum;
  do {
    values.push_back(next());
    sum.add(values.back());
  } while (sum.n < kFewest || kNormal95 * sum.standard_error() > kPrecision * sum.mean);
  return around(std::move(values), sum.mean, kNormal95 * sum.standard_error(), static_cast<std::size_t>(sum.n));
}

bool z_test(const PeerMeasured& a, const PeerMeasured& b, std::uint64_t) {
  return std::abs(a.value - b.value) > kNormal95 * std::hypot(moments(a.values).standard_error(), moments(b.values).standard_error());
}

// --- hyperfine: as many runs as fit into 3 s going by the first, at least 10; mean ± σ of the runs; a ratio ± σ of the ratio
PeerMeasured hyperfine(const Series& next, std::uint64_t) {
  constexpr double kTime = 3.0;
  constexpr std::size_t kFewest = 10;
  std::vector<double> values{next()};
  const std::size_t count = std::max(kFewest, static_cast<std::size_t>(kTime / seconds(values.front())));
  while (values.size() < count) values.push_back(next());
  const Moments sum = moments(values);
  return around(std::move(values), sum.mean, sum.deviation(), count);
}

bool ratio_beyond_sigma(const PeerMeasured& a, const PeerMeasured& b, std::uint64_t) {
  const double ratio = std::max(a.value, b.value) / std::min(a.value, b.value);
  const double sigma = ratio * std::hypot(moments(a.values).deviation() / a.value, moments(b.values).deviation() / b.value);
  return ratio - sigma > 1.0;
}

// --- criterion.rs: 3 s of warm-up that doubles, then 100 means of as many runs as fill 5 s; percentile bootstrap as if they were
// independent. 5 ms is long enough that it takes its flat mode.
constexpr std::size_t kSamples = 100,
                      kResamples = 1000;  // it makes 100,000, which moves an end of the interval by a hundredth of its width

PeerMeasured criterion(const Series& next, std::uint64_t seed) {
  constexpr double kWarmUp = 3.0, kTime = 5.0;
  double spent = 0.0;
  std::size_t runs = 0;
  for (std::size_t batch = 1; spent <= kWarmUp; batch *= 2) {
    spent += seconds(take_mean(next, batch)) * static_cast<double>(batch);
    runs += batch;
  }
  const double expected = spent / static_cast<double>(runs);
  const auto each = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(kTime / kSamples / expected)));
  PeerMeasured measured;
  for (std::size_t i = 0; i < kSamples; ++i) measured.values.push_back(take_mean(next, each));
  measured.runs = runs + kSamples * each;
  measured.value = moments(measured.values).mean;

  std::minstd_rand random(static_cast<std::uint32_t>(seed));
  std::uniform_int_distribution<std::size_t> any(0, kSamples - 1);
  std::vector<double> means;
  for (std::size_t i = 0; i < kResamples; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < kSamples; ++j) sum += measured.values[any(random)];
    means.push_back(sum / kSamples);
  }
  std::ranges::sort(means);
  measured.low = stats::quantile(means, 0.025);
  measured.high = stats::quantile(means, 0.975);
  return measured;
}

// Two tests, both of which must speak: Welch's t under a bootstrap of both samples mixed, and the bootstrapped change of the mean beyond a
// noise threshold of 1 %.
bool criterion_changed(const PeerMeasured& a, const PeerMeasured& b, std::uint64_t seed) {
  constexpr double kNoise = 0.01;
  std::minstd_rand random(static_cast<std::uint32_t>(seed));
  const auto resample = [&](std::span<const double> from) {
    std::uniform_int_distribution<std::size_t> any(0, from.size() - 1);
    Moments sum;
    for (std::size_t i = 0; i < kSamples; ++i) sum.add(from[any(random)]);
    return sum;
  };
  const auto welch = [](const Moments& x, const Moments& y) {
    return (x.mean - y.mean) / std::hypot(x.standard_error(), y.standard_error());
  };
  std::vector<double> mixed = a.values;
  mixed.insert(mixed.end(), b.values.begin(), b.values.end());
  const double t = std::abs(welch(moments(a.values), moments(b.values)));
  std::size_t beyond = 0;
  std::vector<double> changes;
  for (std::size_t i = 0; i < kResamples; ++i) {
    const Moments mixed_a = resample(mixed), mixed_b = resample(mixed);
    beyond += std::abs(welch(mixed_a, mixed_b)) >= t;
    const Moments own_a = resample(a.values), own_b = resample(b.values);
    changes.push_back(own_b.mean / own_a.mean - 1.0);
  }
  std::ranges::sort(changes);
  const bool significant = static_cast<double>(beyond) / kResamples < kAlpha;
  return significant && (stats::quantile(changes, 0.025) > kNoise || stats::quantile(changes, 0.975) < -kNoise);
}

// --- nvbench, stdrel: more than 0.5 s in all, and the relative deviation of the runs below 0.5 %, or, looked at every 16 runs, the last
// 512 values of it within 5 % of the newest; 15 s at most. Prints the mean and that relative deviation.
PeerMeasured nvbench(const Series& next, std::uint64_t) {
  constexpr double kTime = 0.5, kNoise = 0.005, kSteadyNoise = 0.05, kTimeout = 15.0;
  constexpr std::size_t kFewest = 10, kFewestNoises = 64, kWindow = 512, kEvery = 16, kForDeviation = 5;
  next();
  std::vector<double> values, noises;
  Moments sum;
  double spent = 0.0;
  const auto finished = [&] {
    if (spent > kTimeout) return true;
    if (values.size() < kFewest || spent <= kTime) return false;
    const double noise = noises.back();
    if (noise < kNoise) return true;
    const auto window = std::span(noises).last(std::min(noises.size(), kWindow));
    if (window.size() <= kFewestNoises || values.size() % kEvery != 0) return false;
    double squares = 0.0;
    for (const double earlier : window) squares += (earlier - noise) * (earlier - noise);
    return std::sqrt(squares / static_cast<double>(window.size() - 1)) / noise < kSteadyNoise;
  };
  do {
    values.push_back(next());
    sum.add(values.back());
    spent += seconds(values.back());
    if (values.size() >= kForDeviation) noises.push_back(sum.deviation() / sum.mean);
  } while (!finished());
  const std::size_t runs = values.size() + 1;
  return around(std::move(values), sum.mean, sum.deviation(), runs);
}

bool beyond_smaller_noise(const PeerMeasured& a, const PeerMeasured& b, std::uint64_t) {
  const double noise = std::min((a.high - a.value) / a.value, (b.high - b.value) / b.value);
  return std::abs(b.value - a.value) / a.value > noise;
}

// --- torch.utils.benchmark, adaptive_autorange: until the interquartile range is below a tenth of the median; more than 3 values, 10 ms at
// least, 10 s at most. The interval is the one that its significant figures come from: 1.645 standard errors of the middle half of the
// runs.
PeerMeasured torch_adaptive(const Series& next, std::uint64_t) {
  constexpr double kThreshold = 0.1, kLeastTime = 0.01, kMostTime = 10.0;
  next();  // it tries one run to find that a block of one is long enough
  std::vector<double> sorted;
  double spent = 0.0;
  bool enough = false;
  while ((spent < kLeastTime || !enough) && spent <= kMostTime) {
    const double value = next();
    sorted.insert(std::ranges::upper_bound(sorted, value), value);
    spent += seconds(value);
    enough =
        sorted.size() > 3 && (stats::quantile(sorted, 0.75) - stats::quantile(sorted, 0.25)) / stats::quantile(sorted, 0.5) < kThreshold;
  }
  const std::size_t n = sorted.size(), first = n / 4, last = (3 * n + 3) / 4;
  const auto middle = std::span(sorted).subspan(first, last - first);
  const double deviation = std::sqrt(moments(middle).squares / static_cast<double>(middle.size()));
  const double half = kNormal90 * deviation / std::sqrt(static_cast<double>(middle.size()));
  const double median = stats::quantile(sorted, 0.5);
  return around(std::move(sorted), median, half, n + 1);
}

// --- Mann-Whitney's U test, two-sided, normal approximation with continuity correction, as SciPy has it from 9 values a side on
bool mann_whitney(const PeerMeasured& a, const PeerMeasured& b, std::uint64_t) {
  std::vector<double> sorted = a.values;
  std::ranges::sort(sorted);
  double u = 0.0;
  for (const double value : b.values) u += static_cast<double>(std::ranges::upper_bound(sorted, value) - sorted.begin());
  const double n = static_cast<double>(a.values.size()), m = static_cast<double>(b.values.size());
  const double z = (std::abs(u - n * m / 2.0) - 0.5) / std::sqrt(n * m * (n + m + 1.0) / 12.0);
  return std::erfc(z / std::numbers::sqrt2) < kAlpha;
}

// Google Benchmark: 1, 10, then as many iterations as make 0.7 s (1.4 times the least time of 0.5 s); 9 repetitions of so many, which it
// recommends for the test. It has no interval.
PeerMeasured google_benchmark(const Series& next, std::uint64_t) {
  constexpr double kAimed = 0.5 * 1.4;
  constexpr std::size_t kRepetitions = 9, kTried = 10;
  next();
  const double tried = seconds(take_mean(next, kTried));
  const auto iterations = static_cast<std::size_t>(kAimed / tried);
  std::vector<double> values;
  for (std::size_t i = 0; i < kRepetitions; ++i) values.push_back(take_mean(next, iterations));
  const double mean = moments(values).mean;
  return {std::move(values), mean, NAN, NAN, 1 + kTried + kRepetitions * iterations};
}

// The test on the runs themselves: 400 a side, about what our default takes.
PeerMeasured raw_runs(const Series& next, std::uint64_t) {
  constexpr std::size_t kRuns = 400;
  std::vector<double> values;
  for (std::size_t i = 0; i < kRuns; ++i) values.push_back(next());
  const double mean = moments(values).mean;
  return {std::move(values), mean, NAN, NAN, kRuns};
}

constexpr std::array kRules{
    PeerRule{"mean ± 1.96 SE", "from 30 runs on, until 1.96 standard errors are 1 % of the mean; z test", "any textbook", Estimand::Mean,
             0.95, textbook, z_test},
    PeerRule{"hyperfine", "3 s, at least 10 runs; mean ± σ; different when the ratio - σ of the ratio is above 1",
             "sharkdp/hyperfine src/benchmark/mod.rs, relative_speed.rs", Estimand::Mean, NAN, hyperfine, ratio_beyond_sigma},
    PeerRule{"criterion.rs", "3 s warm-up, 100 samples in 5 s; i.i.d. bootstrap of the mean; t test and a change beyond 1 %",
             "bheisler/criterion.rs src/routine.rs, src/lib.rs, src/analysis/compare.rs, src/report.rs", Estimand::Mean, 0.95, criterion,
             criterion_changed},
    PeerRule{"nvbench stdrel", "0.5 s, deviation below 0.5 % or steady; mean ± σ; different beyond the smaller noise",
             "NVIDIA/nvbench nvbench/detail/stdrel_criterion.cxx, python/scripts/nvbench_compare_legacy.py", Estimand::Mean, NAN, nvbench,
             beyond_smaller_noise},
    PeerRule{"torch IQR", "until IQR / median < 0.1; median ± 1.645 SE of the middle half; different when those intervals don't meet",
             "pytorch/pytorch torch/utils/benchmark/utils/{timer,common}.py", Estimand::Median, 0.90, torch_adaptive, disjoint},
    PeerRule{"Google Benchmark", "9 repetitions of 0.7 s; Mann-Whitney over their means, 5 %", "google/benchmark tools/gbench/report.py",
             Estimand::Mean, NAN, google_benchmark, mann_whitney},
    PeerRule{"Mann-Whitney", "400 runs a side, the test over all of them, 5 %", "SciPy mannwhitneyu", Estimand::Mean, NAN, raw_runs,
             mann_whitney},
};

}  // namespace

std::span<const PeerRule> peer_rules() { return kRules; }

}  // namespace lapse::bench
