#pragma once
// Taking turns: a subject that runs a block at a time, when somebody says so.
//
// Two processes that take turns meet the same machine: its drift, its neighbours and its clocks touch both alike, and what is left of the
// difference between adjacent blocks is theirs. A block is some runs one after the other: long enough that what the other side left in the
// caches is a small part of it, short enough that the machine is the same for the next. Its first run fetches memory back that the other
// side pushed out of the caches, and wakes up threads that slept; it is not counted, where a block has more runs than one.

#include <cstddef>
#include <cstdint>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <lapse/measure/run.hpp>
#include <optional>
#include <random>

namespace lapse::measuring {

/// Runs of a block at the most: more of them don't make its median better, and files larger.
inline constexpr std::size_t kBlockRuns = 2'000;

struct Turn {
  bool warm_up = false;  // run until the times have settled, in blocks of the usual length
  Duration length{};     // of a block, which is over with the first run that ends after it; of the warm-up the longest time
};

struct Block {
  std::size_t runs = 0;  // counted
  Duration median{};     // of them, end to end; 0 of a warm-up
  Duration took{};       // by the clock of the subject's timeline, with what was not counted
};

/// Who says when.
class Turns {
 public:
  virtual ~Turns() = default;
  /// Blocks until it is the subject's turn. `done`: what came of the turn before, of none before the first. Nothing: that was the last one.
  virtual std::optional<Turn> next(const Block& done) = 0;
};

/// Which of two sides has the first turn of a round. Of every two rounds A begins one and B the other, and a coin tells which: what the
/// first turn of a round has for or against it both have as often, and a steady drift of the machine cancels out of every two rounds.
class RoundOrder {
 public:
  explicit RoundOrder(std::uint64_t seed) : coin_(seed) {}
  bool a_first();

 private:
  std::mt19937_64 coin_;
  std::optional<bool> second_;  // of a pair of rounds
};

/// Runs `subject` whenever `hooks.turns` says so. Of the plan counts what is run (scenario, in flight, cold cache), not for how long.
/// `examiner` (may be null) has its looks at the end of a block. Errors: those of the subject.
Result<Measurement> take_turns(Subject& subject, const Plan& plan, const Hooks& hooks, Examiner* examiner = nullptr);

}  // namespace lapse::measuring
