#include "bench/coverage/compare.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/measure/turns.hpp>
#include <lapse/stats/comparison.hpp>
#include <limits>
#include <random>

#include "bench/coverage/families.hpp"
#include "bench/coverage/peers.hpp"
#include "bench/coverage/replicates.hpp"
#include "bench/coverage/subject.hpp"

namespace lapse::bench {
namespace {

constexpr double kNoise = 0.03;
constexpr double kWeatherSeconds = 10.0;
// What the defaults of `lapse compare`, 30 s and 6 pairs, make of runs of 5 ms: each side of a pair warms up for two blocks of 100 ms, and
// has 22 that count, each of which begins with a run that doesn't.
constexpr std::size_t kPairs = 6, kRounds = 22, kBlockRuns = 20, kWarmUpRuns = 40;
constexpr std::size_t kProcessRuns = kRounds * kBlockRuns;
constexpr double kMargin = 0.01;

/// Everything that happens on the machine, in order.
class Machine {
 public:
  Machine(const Scenario& scenario, std::uint64_t seed) : scenario_(scenario), random_(seed), weather_(normal_(random_)) {}

  /// The times of a new process that takes `factor` as long as A.
  Series start(double factor) {
    const double level = factor * std::exp(scenario_.process * normal_(random_));
    return [this, level, state = normal_(random_)]() mutable {
      state = next(state, scenario_.phi);
      weather_ = next(weather_, std::exp(-std::chrono::duration<double>(kBase).count() / kWeatherSeconds));
      return level * (1.0 + kNoise * state) * std::exp(scenario_.weather * weather_);
    };
  }

 private:
  double next(double state, double phi) { return phi * state + std::sqrt(1.0 - phi * phi) * normal_(random_); }

  const Scenario& scenario_;
  std::mt19937_64 random_;
  std::normal_distribution<> normal_;
  double weather_;
};

struct Answer {
  bool faster = false, slower = false;  // any of what is compared
  std::size_t runs = 0;                 // of both sides, those that warmed up, too
  stats::Decision median{};             // of ours
};

Answer answer(const stats::Contrast& median, const stats::Contrast& tail, std::size_t runs) {
  const auto decisions = stats::decide(std::array{median, tail}, kMargin);
  Answer answer{false, false, runs, decisions.front()};
  for (const stats::Decision& decision : decisions) {
    answer.faster |= decision.change == stats::Change::Faster;
    answer.slower |= decision.change == stats::Change::Slower;
  }
  return answer;
}

double quantile_of(std::vector<double> values, double p) {
  std::ranges::sort(values);
  return stats::quantile(values, p);
}

double tail_probability() { return stats::tail_quantile(kProcessRuns)->p; }

std::vector<double> take(const Series& process, std::size_t count) {
  std::vector<double> values(count);
  for (double& value : values) value = process();
  return values;
}

/// A process that makes a block at a time.
struct Side {
  explicit Side(Series started) : process(std::move(started)) { take(process, kWarmUpRuns); }
  void block() {
    process();
    auto values = take(process, kBlockRuns);
    runs.insert(runs.end(), values.begin(), values.end());
    medians.push_back(quantile_of(std::move(values), 0.5));
  }

  Series process;
  std::vector<double> runs, medians;
};

Answer live(Machine& machine, double factor, std::uint64_t seed) {
  measuring::RoundOrder order(seed);
  std::vector<double> medians, tails;
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    Side a(machine.start(1.0)), b(machine.start(factor));
    for (std::size_t round = 0; round < kRounds; ++round) {
      const bool a_first = order.a_first();
      (a_first ? a : b).block();
      (a_first ? b : a).block();
    }
    medians.push_back(stats::mean_log_ratio(a.medians, b.medians));
    tails.push_back(std::log(quantile_of(b.runs, tail_probability()) / quantile_of(a.runs, tail_probability())));
  }
  return answer(stats::paired(medians), stats::paired(tails), 2 * kPairs * (kWarmUpRuns + kRounds * (1 + kBlockRuns)));
}

Answer saved(Machine& machine, double factor, std::uint64_t) {
  // With five processes or more a side, their error within is not asked for.
  const auto figure = [](double value) { return stats::ProcessFigure{value, std::numeric_limits<double>::infinity(), kProcessRuns}; };
  const auto measure = [&](double level) {
    std::array<std::vector<stats::ProcessFigure>, 2> medians_and_tails;
    for (std::size_t process = 0; process < kPairs; ++process) {
      const Series next = machine.start(level);
      take(next, kWarmUpRuns);
      const auto runs = take(next, kProcessRuns);
      medians_and_tails[0].push_back(figure(quantile_of(runs, 0.5)));
      medians_and_tails[1].push_back(figure(quantile_of(runs, tail_probability())));
    }
    return medians_and_tails;
  };
  const auto a = measure(1.0), b = measure(factor);
  return answer(stats::independent(a[0], b[0]), stats::independent(a[1], b[1]), 2 * kPairs * (kWarmUpRuns + kProcessRuns));
}

Answer by(const PeerRule& rule, Machine& machine, double factor, std::uint64_t seed) {
  const PeerMeasured a = rule.measure(machine.start(1.0), seed);
  const PeerMeasured b = rule.measure(machine.start(factor), seed + 1);
  const bool differ = rule.differ(a, b, seed + 2);
  return {differ && b.value < a.value, differ && b.value > a.value, a.runs + b.runs, {}};
}

constexpr std::array kScenarios{
    Scenario{"quiet", "independent noise, all processes alike"},
    Scenario{"ar-0.9", "AR(1) noise, phi 0.9, all processes alike", 0.0, 0.9},
    Scenario{"process-0.5", "independent noise, levels of processes sd 0.5 %", 0.005},
    Scenario{"process-1", "independent noise, levels of processes sd 1 %", 0.01},
    Scenario{"process-2", "independent noise, levels of processes sd 2 %", 0.02},
    Scenario{"weather", "AR(1) noise, phi 0.9, processes sd 0.5 %, the machine's level sd 3 % over some 10 s", 0.005, 0.9, 0.03},
};

}  // namespace

std::span<const Scenario> scenarios() { return kScenarios; }

std::vector<Detection> detect(const Scenario& scenario, std::size_t replicates, std::size_t jobs, std::uint64_t seed) {
  std::vector<Detection> detections;
  const auto add = [&](std::string_view name, bool ours, auto compare) {
    struct Both {
      Answer same, slower;
    };
    const auto answers = replicate(replicates, jobs, [&](std::size_t i) {
      const std::uint64_t own = seed_of(seed, scenario.name, i);
      Machine same(scenario, own), slower(scenario, ~own);
      return Both{compare(same, 1.0, own), compare(slower, 1.0 + kSlowdown, own)};
    });
    Detection detection{name, ours};
    for (const Both& both : answers) {
      detection.false_alarms.count(both.same.faster || both.same.slower);
      detection.found.count(both.slower.slower);
      if (ours) {
        detection.equivalent.count(both.same.median.change == stats::Change::Equivalent);
        detection.covered.count(both.slower.median.low <= 1.0 + kSlowdown && 1.0 + kSlowdown <= both.slower.median.high);
        detection.width += (both.same.median.high - both.same.median.low) / static_cast<double>(replicates);
      }
      detection.runs += static_cast<double>(both.same.runs) / static_cast<double>(replicates);
    }
    detections.push_back(detection);
  };
  add("lapse compare, live", true, live);
  add("lapse compare, saved", true, saved);
  for (const PeerRule& rule : peer_rules()) {
    add(rule.name, false, [&](Machine& machine, double factor, std::uint64_t own) { return by(rule, machine, factor, own); });
  }
  return detections;
}

}  // namespace lapse::bench
