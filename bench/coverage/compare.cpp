#include "compare.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/stats/comparison.hpp>
#include <random>

#include "families.hpp"
#include "peers.hpp"
#include "replicates.hpp"
#include "subject.hpp"

namespace lapse::bench {
namespace {

constexpr double kNoise = 0.03;
constexpr double kWeatherSeconds = 10.0;
// The defaults of `lapse compare`: 30 s, 6 pairs, blocks of 100 ms (less their first run, which is not counted), half the time for each
// side.
constexpr std::size_t kPairs = 6, kBlockRuns = 20;
constexpr std::size_t kRounds = 25;
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
  bool coin() { return (random_() & 1) != 0; }

 private:
  double next(double state, double phi) { return phi * state + std::sqrt(1.0 - phi * phi) * normal_(random_); }

  const Scenario& scenario_;
  std::mt19937_64 random_;
  std::normal_distribution<> normal_;
  double weather_;
};

struct Answer {
  bool faster = false, slower = false;
  std::size_t runs = 0;
};

Answer answer(std::span<const stats::Contrast> contrasts, std::size_t runs) {
  Answer answer{false, false, runs};
  for (const stats::Decision& decision : stats::decide(contrasts, kMargin)) {
    answer.faster |= decision.change == stats::Change::Faster;
    answer.slower |= decision.change == stats::Change::Slower;
  }
  return answer;
}

double quantile_of(std::vector<double> values, double p) {
  std::ranges::sort(values);
  return stats::quantile(values, p);
}

// A block's median; its runs but the first are added to those of its process.
double block(Series& process, std::vector<double>& runs) {
  process();
  std::vector<double> values(kBlockRuns - 1);
  std::ranges::generate(values, std::ref(process));
  runs.insert(runs.end(), values.begin(), values.end());
  return quantile_of(std::move(values), 0.5);
}

Answer live(Machine& machine, double factor) {
  const double tail = stats::tail_quantile(kRounds * (kBlockRuns - 1))->p;
  std::vector<double> medians, tails;
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    Series a = machine.start(1.0), b = machine.start(factor);
    std::vector<double> a_blocks, b_blocks, a_runs, b_runs;
    for (std::size_t round = 0; round < kRounds; ++round) {
      const bool a_first = machine.coin();
      if (a_first) a_blocks.push_back(block(a, a_runs));
      b_blocks.push_back(block(b, b_runs));
      if (!a_first) a_blocks.push_back(block(a, a_runs));
    }
    medians.push_back(stats::mean_log_ratio(a_blocks, b_blocks));
    tails.push_back(std::log(quantile_of(std::move(b_runs), tail) / quantile_of(std::move(a_runs), tail)));
  }
  return answer(std::array{stats::paired(medians), stats::paired(tails)}, 2 * kPairs * kRounds * kBlockRuns);
}

Answer saved(Machine& machine, double factor) {
  constexpr std::size_t kRuns = kRounds * kBlockRuns;
  const double tail = stats::tail_quantile(kRuns)->p;
  std::vector<stats::ProcessFigure> medians[2], tails[2];
  for (const int side : {0, 1}) {
    for (std::size_t process = 0; process < kPairs; ++process) {
      Series next = machine.start(side == 0 ? 1.0 : factor);
      std::vector<double> runs(kRuns);
      std::ranges::generate(runs, std::ref(next));
      std::ranges::sort(runs);
      // With five processes or more a side, their error within is not asked for.
      medians[side].push_back({stats::quantile(runs, 0.5), std::numeric_limits<double>::infinity(), kRuns});
      tails[side].push_back({stats::quantile(runs, tail), std::numeric_limits<double>::infinity(), kRuns});
    }
  }
  return answer(std::array{stats::independent(medians[0], medians[1]), stats::independent(tails[0], tails[1])}, 2 * kPairs * kRuns);
}

Answer by(const PeerRule& rule, Machine& machine, double factor, std::uint64_t seed) {
  const PeerMeasured a = rule.measure(machine.start(1.0), seed);
  const PeerMeasured b = rule.measure(machine.start(factor), seed + 1);
  const bool differ = rule.differ(a, b, seed + 2);
  return {differ && b.value < a.value, differ && b.value > a.value, a.runs + b.runs};
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
    Detection detection{name, ours, {}, {}};
    for (const Both& both : answers) {
      detection.false_alarms.count(both.same.faster || both.same.slower);
      detection.found.count(both.slower.slower);
      detection.runs += static_cast<double>(both.same.runs) / static_cast<double>(replicates);
    }
    detections.push_back(detection);
  };
  add("lapse compare, live", true, [](Machine& machine, double factor, std::uint64_t) { return live(machine, factor); });
  add("lapse compare, saved", true, [](Machine& machine, double factor, std::uint64_t) { return saved(machine, factor); });
  for (const PeerRule& rule : peer_rules()) {
    add(rule.name, false, [&](Machine& machine, double factor, std::uint64_t own) { return by(rule, machine, factor, own); });
  }
  return detections;
}

}  // namespace lapse::bench
