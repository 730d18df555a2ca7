#pragma once
// The same batches through the same model in two ways, in turns: synchronous, where each batch waits for the last, and asynchronous, where
// stages joined by bounded queues work at the same time.
//
//   synchronous    prepare 0 │ forward 0 │ consume 0 │ prepare 1 │ forward 1 │ …
//   asynchronous   prepare 0 │ prepare 1 │ prepare 2 │ …                            on `workers` threads
//                            │ forward 0 │ forward 1 │ …                            on the thread that calls
//                                        │ consume 0 │ consume 1 │ …                on one thread
//
// On a device with memory of its own the forward stage is three: H2D, forward and D2H, on a stream each, ordered by marks, and as many
// batches on their way as `in_flight` says. A batch lives in a slot: host memory for its inputs (page-locked on a device), a binding and
// its marks. Slots are made once and go round, so memory depends on depth, workers and in_flight alone; what grows with the batches is
// their times (96 bytes each) and the items' digests (8 bytes each).

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/device/timeline.hpp>
#include <lapse/engine/session.hpp>
#include <lapse/tensor/tensor.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace lapse::pipeline {

enum class Step { Prepare, H2D, Forward, D2H, Consume };
inline constexpr std::size_t kSteps = 5;
/// "preprocess", "h2d", "forward", "d2h", "postprocess".
std::string_view name(Step step) noexcept;

/// Where the inputs of one batch go: in the order of the session's inputs, all of each.
using BatchInputs = std::span<const std::span<std::byte>>;

/// Fills the inputs of batch `batch` (0 … plan.batches - 1), the same ones each time it is asked, and says which of its items are there: a
/// missing one's place may hold anything. One flag for each of plan.items. Called on any worker's thread, on several at once. An error ends
/// the run.
using Prepare = std::function<Result<std::vector<bool>>(std::size_t batch, BatchInputs inputs)>;

struct OverlapPlan {
  std::size_t items = 1;     // of a batch, ≥ 1
  std::size_t batches = 50;  // in a round, ≥ 1
  std::size_t rounds =
      5;  // of each way, ≥ 1; one more of each comes before them: it warms up, and its answers are what others are held against
  Duration budget{};          // no further round is begun after it; 0: none
  std::size_t workers = 1;    // threads that prepare, ≥ 1
  std::size_t depth = 2;      // of the queues, ≥ 1
  std::size_t in_flight = 2;  // on an asynchronous device, ≥ 1
};

/// On the timeline's clock, those of the device's steps carried over from its marks. A step that there isn't begins and ends at 0.
struct BatchTimes {
  struct Span {
    device::Instant begin{}, end{};
  };
  std::array<Span, kSteps> steps{};
  std::uint32_t batch = 0;
  std::uint32_t worker = 0;  // which prepared it
  std::uint32_t items = 0;   // that were there

  const Span& at(Step step) const noexcept { return steps[static_cast<std::size_t>(step)]; }
  Duration latency() const noexcept { return at(Step::Consume).end - at(Step::Prepare).begin; }
};

struct Round {
  device::Instant begin{};
  Duration duration{};              // from the first batch's beginning until the last one's end
  std::size_t items = 0;            // that were there
  std::vector<BatchTimes> batches;  // in the order in which they ended
};

/// Were the items' outputs the same, bit for bit, each time?
struct Agreement {
  std::size_t items = 0;      // compared, of one round
  std::size_t different = 0;  // of the asynchronous way from the synchronous one
  std::size_t random = 0;     // of the synchronous way from itself: then nothing can be said of the other
};

struct Overlap {
  std::vector<Step> steps;                       // those that there are, in their order
  std::vector<Round> synchronous, asynchronous;  // as many of each; the first one of each is the warm-up
  Agreement agreement;
  std::optional<Error> failure;  // what ended it early; the rounds are those of before
};

struct OverlapProgress {
  std::size_t round = 0;  // 0: the warm-up
  bool asynchronous = false;
  std::size_t batches = 0;  // done in this round
};

struct OverlapHooks {
  std::function<void(const OverlapProgress&)> progress;  // at most about ten times a second, on one thread or the other; may be empty
  const std::atomic<bool>* stop = nullptr;               // may be null
};

/// `inputs` say what one batch looks like, in the order of the session's inputs. The timeline is the session's; with three streams or more
/// a staged session's copies have one each. Belongs to the calling thread, as the timeline does. Errors before the first pair of rounds
/// after the warm-up is whole: the prepare function's, the engine's, the device's, Interrupted. Later ones are Overlap::failure.
Result<Overlap> overlap(engine::Session& session, device::Timeline& timeline, std::span<const tensor::Tensor> inputs,
                        const Prepare& prepare, const OverlapPlan& plan, const OverlapHooks& hooks = {});

}  // namespace lapse::pipeline
