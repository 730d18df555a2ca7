#pragma once
// False alarms and power: A against A, and against a B that takes 3 % longer, on a made-up machine.
//
// Each process has a level of its own (log-normal), which lasts as long as it lives, and noise of 3 %; the machine has weather, which both
// sides feel. `lapse compare --a … --b …` is done as the program does it by default: pairs of processes in blocks that take turns. Its
// other form compares as many processes a side from saved files, measured one side after the other. Peers measure one process of A, then
// one of B.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/coverage/rate.hpp"

namespace lapse::bench {

struct Scenario {
  std::string_view name, what;
  double process = 0.0;  // standard deviation of a process's level
  double phi = 0.0;      // AR(1) of a process's noise, from run to run
  double weather = 0.0;  // standard deviation of the machine's level, which changes over some 10 s
};
std::span<const Scenario> scenarios();

inline constexpr double kSlowdown = 0.03;

struct Detection {
  std::string_view rule;
  bool ours = false;
  Rate false_alarms{};  // A against A: called faster or slower, by any of what is compared
  Rate found{};         // B 3 % slower: called slower, by any of it
  double runs = 0.0;    // of both sides, those that warmed up, too; mean
  // Of ours: the interval of the ratio of medians.
  Rate equivalent{};  // A against A
  Rate covered{};     // B 3 % slower: it holds 1.03
  double width = 0.0;
};

/// One row a rule, ours first.
std::vector<Detection> detect(const Scenario& scenario, std::size_t replicates, std::size_t jobs, std::uint64_t seed);

}  // namespace lapse::bench
