#pragma once
// One slot of the overlap: the memory, the binding and the marks of a batch, and what can be done with it. Not installed.

#include <array>
#include <lapse/pipeline/overlap.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace lapse::pipeline {

/// Belongs to one thread after the other; `hand_over`, `done` and `times` to the timeline's.
class Slot {
 public:
  /// Errors: those of bind and make_mark; OutOfMemory.
  static Result<std::unique_ptr<Slot>> make(engine::Session& session, device::Timeline& timeline, std::span<const tensor::Tensor> like);

  /// A batch of `items` begins.
  Result<void> prepare(std::size_t batch, std::size_t items, std::uint32_t worker, const Prepare& with);
  /// Blocks unless asynchronous. After an error nothing of it is on the device.
  Result<void> hand_over();
  /// Is it done? Then `times` knows how long the device took. `origin` is a mark that was passed at the instant `at`.
  Result<bool> done(device::Mark origin, device::Instant at);
  /// Waits for it.
  Result<void> wait();
  /// One digest for each item that is there, by its place; 0 for those that aren't.
  Result<void> consume(std::span<std::uint64_t> digests);

  const BatchTimes& times() const noexcept { return times_; }
  bool asynchronous() const noexcept { return session_->asynchronous(); }
  /// Those of a session, in their order.
  static std::vector<Step> steps(const engine::Session& session);

 private:
  Slot(engine::Session& session, device::Timeline& timeline) : session_(&session), timeline_(&timeline) {}
  Result<void> submit_staged();
  Result<void> submit_whole();
  Result<void> outcome(lapse_status status) const;
  Result<void> carry_over(Step step, std::size_t first, device::Mark origin, device::Instant at);
  BatchTimes::Span& span(Step step) noexcept { return times_.steps[static_cast<std::size_t>(step)]; }
  bool staged() const noexcept;
  device::Mark end_mark() const noexcept;

  engine::Session* session_;
  device::Timeline* timeline_;
  std::vector<tensor::Tensor> tensors_;
  std::optional<engine::Binding> binding_;
  std::vector<std::span<std::byte>> inputs_;
  std::array<device::Mark, 6> marks_{};  // two a step of the device
  std::vector<bool> there_;
  BatchTimes times_;
};

}  // namespace lapse::pipeline
