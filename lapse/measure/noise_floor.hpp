#pragma once
// The smallest difference that can be seen on this machine: a thing is compared with itself.
//
// Two instances A and B of the same work are made anew for each pair, so that where their memory happens to lie is part of the noise. They
// take turns a block at a time, AB or BA by a coin, so that a drift or an effect of the order touches both alike. A block's figure is the
// median of its runs, the first one left out: it finds the caches as the other left them. A pair's figure and the 95 % interval over
// pairs, which are independent, are those of a comparison (lapse/stats/comparison.hpp: mean_log_ratio, paired), so that the noise floor is
// what a comparison would meet here.
//
// The noise floor is the half width of that interval: a true difference below it leaves 1 inside the interval more often than not. To be
// found nine times in ten it has to be as large as the 90 % quantile of the non-central t about that half width, as the noise that the next
// comparison meets is known only as well as some pairs tell it (Julious & Owen, Pharmaceutical Statistics 5:29, 2006). Where the interval
// leaves 1 out, a thing was told from itself: then what it was off by is added to both.
//
// This is noise within one process: what differs from process to process (layout, hash seeds) comes on top.

#include <atomic>
#include <cstdint>
#include <functional>
#include <lapse/measure/subject.hpp>
#include <lapse/stats/quantile.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace lapse::measuring {

struct NoisePlan {
  Duration budget = std::chrono::seconds{10};  // of the work itself, warm-up included; each pair has at least one round
  std::size_t pairs = 10;                      // ≥ kFewestPairs; with ten the width itself is known to about a quarter
  Duration block = std::chrono::milliseconds{50};
  std::uint64_t seed = 1;  // of the coin
};

/// With fewer the width of the interval says little: at 6 its own standard error is a third.
inline constexpr std::size_t kFewestPairs = 6;

struct NoiseHooks {
  std::function<void()> after_round;        // between blocks; may be null
  const std::atomic<bool>* stop = nullptr;  // becomes true when the user has had enough
};

struct Pairs {
  std::vector<double> log_ratios;  // of B / A, one a pair
  double median_ns = 0.0;          // of the medians of A's blocks: how long one run takes
  std::size_t runs = 0;            // that counted, of A and B
  Duration spent{};
};

using MakeSubject = std::function<Result<std::unique_ptr<Subject>>()>;

/// Two things, which may be one and the same, in turns. Stopped early, it has the pairs that were complete. Errors: those of the subjects.
Result<Pairs> measure_pairs(const MakeSubject& make_a, const MakeSubject& make_b, const NoisePlan& plan, const NoiseHooks& hooks = {});

/// B / A with its 95 % interval. Nothing with fewer than kFewestPairs pairs.
std::optional<stats::Estimate> ratio(const Pairs& pairs);

/// Shares: 0.01 is one per cent.
struct NoiseFloor {
  double unseen = 0.0;  // differences below it can't be seen
  double found = 0.0;   // differences of this size are found nine times in ten
};
/// Of a thing that was compared with itself. Nothing with fewer than kFewestPairs pairs.
std::optional<NoiseFloor> noise_floor(const Pairs& pairs);

}  // namespace lapse::measuring
