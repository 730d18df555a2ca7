#pragma once
// What the rounds of an overlap say: throughput, what each step costs, the bound, and how near to it the asynchronous way comes.
//
// Nothing can be faster than the slowest step: with t(s) what step s takes for a round when it works alone, as in the synchronous way, and
// n(s) its threads, the bound is max t(s) / n(s) a round. Speed-up and efficiency are those of each pair of rounds, and of the pairs the
// median with its interval (lapse/stats/quantile.hpp), which needs six of them: both ways of a pair met the same machine. The warm-up round
// counts in nothing here.

#include <lapse/pipeline/overlap.hpp>
#include <lapse/stats/summary.hpp>
#include <optional>
#include <vector>

namespace lapse::pipeline {

/// Median of the pairs; the interval is there from six pairs on.
struct PairedRatio {
  double value = 0.0;
  std::optional<stats::RankInterval> ranks{};
  double low = 0.0, high = 0.0;
};

struct WayFigures {
  double throughput_per_s = 0.0;    // items that were there, all rounds together
  std::vector<double> busy_ns;      // by step: mean of a batch
  std::vector<double> utilisation;  // by step: 0 … 1 of its threads' time
  stats::Summary latency;           // of a batch, nanoseconds: from the beginning of its preparing until its outputs were consumed
};

struct OverlapFigures {
  WayFigures synchronous, asynchronous;
  PairedRatio speedup;  // > 1: the asynchronous way is faster
  Step bound = Step::Forward;
  double bound_per_s = 0.0;  // items a second, at the most
  PairedRatio efficiency;    // of the asynchronous way against the bound
};

/// `overlap` has a pair of rounds after the warm-up.
OverlapFigures figures(const Overlap& overlap, const OverlapPlan& plan);

}  // namespace lapse::pipeline
