#pragma once
// Is B slower than A? The ratio B / A with an interval, and a verdict with a known rate of false alarms.
//
// Estimand: exp(E ln b - E ln a), where a and b are a quantile (the median, p99) of the runs of one process: of processes that might have
// been started, the geometric mean on each side. Processes are the unit (replication.hpp); logarithms make "1.1 times" and "1/1.1 times"
// lie equally far from 1, and turn the ratio into a difference (Kalibera & Jones, arXiv:2007.10899, whose effect size it is).
//
//   paired       A and B ran at the same time, taking turns, in pairs of processes: Student's t over the pairs' log ratios. What happens to
//                the machine meanwhile happens to both, and cancels out.
//   independent  measured one after the other (saved files): Welch's t on the logarithms, degrees after Satterthwaite (Biometrics 2:110,
//                1946). What changed in the meantime counts as a difference, as it can't be told from one.
//
// Several comparisons at once: Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (Scand. J. Statistics 6:65, 1979). The
// chance that anything at all is called faster or slower where nothing differs is 5 % at most. "Equivalent" is a claim about each by
// itself: with the true ratio on the margin it is made in 2.5 % at most (both one-sided tests: Schuirmann, J. Pharmacokinet. Biopharm.
// 15:657, 1987).

#include <cstddef>
#include <lapse/stats/replication.hpp>
#include <lapse/stats/summary.hpp>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace lapse::stats {

/// What the standard error of a contrast stands on, the weakest first.
enum class Basis {
  ThisProcess,   // a side has one process: the error within it, and nothing of how processes differ
  FewProcesses,  // two to four a side: their spread, which is itself too uncertain
  GivenNoise,    // fewer than five a side; how much processes differ was told
  Processes,     // five or more a side
};
/// "this-process", "few-processes", "given-noise", "processes"
std::string_view name(Basis basis) noexcept;

struct Contrast {
  double log_ratio = 0.0;  // of B / A
  double standard_error = std::numeric_limits<double>::infinity();
  double degrees = std::numeric_limits<double>::infinity();  // of Student's t; infinite: normal
  Basis basis = Basis::ThisProcess;

  bool decidable() const noexcept { return basis >= Basis::GivenNoise; }
};

/// The log ratio of one pair of processes that took turns: the interquartile mean, over rounds, of ln(median of B's block / median of A's
/// next to it). A quarter of the rounds at either end is left out: those in which somebody took the CPU from one of the two. (On a machine
/// of two busy CPUs the mean of all scatters ten times as much.) Where A and B are alike they are left out alike.
/// Both as long, none empty, values > 0.
double mean_log_ratio(std::span<const double> a_blocks, std::span<const double> b_blocks);
/// One log ratio a pair of processes, not empty. With a single pair there is no interval.
Contrast paired(std::span<const double> log_ratios);
/// One figure a process, none empty. `noise`: the standard deviation, relative, of one process's figure from process to process, for sides
/// with fewer than five; their error within is added to it.
Contrast independent(std::span<const ProcessFigure> a, std::span<const ProcessFigure> b, std::optional<double> noise = std::nullopt);

enum class Change { Faster, Slower, Equivalent, Undecided };
/// "faster", "slower", "equivalent", "undecided"
std::string_view name(Change change) noexcept;

struct Decision {
  double ratio = 1.0;
  double low = 0.0;
  double high = std::numeric_limits<double>::infinity();
  double confidence = kConfidence;  // of this interval: above 95 % where several are decided at once
  std::optional<double> p;          // after Holm; nothing where there is nothing to decide
  Change change = Change::Undecided;
};
/// One decision a contrast, in their order. Equivalent when the interval lies in 1 ± `margin`; else slower when it lies above 1, faster
/// when below. What is not decidable is undecided, has a 95 % interval, and makes no other interval wider. 0 ≤ margin < 1.
std::vector<Decision> decide(std::span<const Contrast> contrasts, double margin);

/// The highest of p90, p95 and p99 that `runs` runs of a process support: two of them at least lie beyond it. Null when there are fewer
/// than kFewestRunsForTail. Whether a process knows the quantile's interval by itself is another matter (runs_needed).
const NamedQuantile* tail_quantile(std::size_t runs);
inline constexpr std::size_t kFewestRunsForTail = 20;

}  // namespace lapse::stats
