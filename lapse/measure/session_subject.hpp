#pragma once
// A model with its inputs, as a subject.

#include <lapse/engine/session.hpp>
#include <lapse/measure/inputs.hpp>
#include <lapse/measure/subject.hpp>
#include <lapse/measure/watchdog.hpp>
#include <span>
#include <vector>

namespace lapse::measuring {

/// Session, timeline and inputs are borrowed and outlive it. One binding for every slot and input set; inference number i uses set
/// i mod sets.
class SessionSubject final : public Subject {
 public:
  /// Errors: those of bind; BadUse when several slots are asked for and the session can't run concurrently.
  static Result<SessionSubject> make(engine::Session& session, device::Timeline& timeline, const Inputs& inputs, std::size_t slots);

  Result<void> submit(std::size_t slot, std::size_t iteration) override {
    engine::Binding& binding = at(slot, iteration);
    return outcome(binding, binding.submit(timeline_->stream(stream_of(slot))));
  }
  bool staged() const noexcept override { return staged_; }
  Result<void> submit(std::size_t slot, std::size_t iteration, Stage stage) override;
  Result<void> fetch(std::size_t slot, std::size_t iteration) override;
  bool asynchronous() const noexcept override { return asynchronous_; }
  std::size_t slots() const noexcept override { return bindings_.size() / sets_; }
  device::Timeline& timeline() noexcept override { return *timeline_; }

  std::size_t sets() const noexcept override { return sets_; }
  /// `pulse` (may be null) is told what infer waits for; it belongs to the thread that calls infer.
  void watch(Pulse* pulse) noexcept { pulse_ = pulse; }
  /// One inference on `set`, waited for. The outputs are valid until the next submit of slot 0.
  Result<std::vector<tensor::TensorView>> infer(std::size_t set);

 private:
  SessionSubject(device::Timeline& timeline, const engine::Session& session, std::size_t sets)
      : timeline_(&timeline), asynchronous_(session.asynchronous()), staged_(session.staged()), sets_(sets) {}
  Result<void> wait();
  engine::Binding& at(std::size_t slot, std::size_t iteration) noexcept { return bindings_[slot * sets_ + iteration % sets_]; }
  static Result<void> outcome(const engine::Binding& binding, lapse_status status) {
    if (status == LAPSE_OK) return {};
    return tl::unexpected(binding.error(status));
  }
  device::Timeline* timeline_;
  bool asynchronous_;
  bool staged_;
  std::size_t sets_;
  Pulse* pulse_ = nullptr;
  std::vector<engine::Binding> bindings_;
};

}  // namespace lapse::measuring
