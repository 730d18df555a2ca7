#pragma once
// What is true of a program, and not only of the one process that was measured.
//
// Where memory happens to lie, what the allocator, the scheduler and the clocks do differs from process to process, and stays for as long
// as one lives: more runs within a process don't average it out. So the process is the unit. Estimand: the mean, over processes that might
// have been started, of the process's own quantile (its median, its p99) of the runs in its steady part. A process counts as one
// observation, however many runs it made.
//
// Two levels, after Kalibera & Jones, "Rigorous Benchmarking in Reasonable Time" (ISMM 2013) and "Quantifying Performance Changes with
// Effect Size Confidence Intervals" (arXiv:2007.10899, 2020): runs within a process (level 1) and processes (level 2). Their statistic of
// level 1 is the mean; here it is a quantile, whose sampling variance is taken from its interval within the process, which allows for runs
// that resemble their neighbours. All variances are relative to the level (those of logarithms).

#include <cstddef>
#include <lapse/stats/quantile.hpp>
#include <optional>
#include <span>

namespace lapse::stats {

/// Below this, the spread between processes is itself too uncertain for a verdict: t(3) is 3.2, t(4) 2.8, the normal's 1.96.
inline constexpr std::size_t kFewestProcesses = 5;

/// The mean of one value a process and its 95 % interval: mean ± t(K - 1) · s / √K. Its `effective` is K. Nothing for fewer than two.
std::optional<Estimate> across_processes(std::span<const double> values);

/// Is that interval within ± `precision` (relative), after this process and after the two before it, of at least kFewestProcesses + 1 each?
/// Who looks after each process and stops at the first that does (Chow & Robbins, Ann. Math. Stat. 36:457, 1965) stops when the spread of
/// a few happens to be small, and his 95 % interval covers in 92 to 94 %; three looks in a row make that 93.6 to 94.4 %, for three more
/// processes (simulated, normal, where 6 to 40 processes are needed).
bool known_within(std::span<const double> values, double precision);

/// A quantile of the runs of one process.
struct ProcessFigure {
  double value = 0.0;           // > 0
  double relative_error = 0.0;  // its standard error within the process, relative; infinite where that is not known
  std::size_t runs = 0;
};
/// `estimate` with its 95 % interval, taken as that of a normal variable.
ProcessFigure process_figure(const Estimate& estimate, std::size_t runs);

/// Variances of ln(value): Kalibera & Jones' T1² and T2².
struct Components {
  double within = 0.0;   // T1², the part of one run; a process of r runs has within / r of it
  double between = 0.0;  // T2² = S2² - S1² / r, the part of a process; 0 where that is negative
};
/// Nothing for fewer than two processes, or where no process knows its own error.
std::optional<Components> variance_components(std::span<const ProcessFigure> processes);

/// What things cost, both in the same unit. > 0.
struct Cost {
  double process = 0.0;  // from its start to the first run that counts: load, warm-up
  double run = 0.0;
};

struct Plan {
  std::size_t processes = 0;
  std::size_t runs = 0;  // of each
  double cost = 0.0;     // of all, unit of Cost
};
/// The cheapest way to a 95 % interval of ± `precision` (relative): r1 = ⌈√(c2/c1 · T1²/T2²)⌉ runs (Kalibera & Jones 2013), then as many
/// processes as Student's interval asks for, at least kFewestProcesses, and of the runs only those that they need. Nothing where a
/// million processes would not do.
std::optional<Plan> plan(const Components& components, const Cost& cost, double precision);

}  // namespace lapse::stats
