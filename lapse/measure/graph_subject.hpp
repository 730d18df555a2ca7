#pragma once
// A subject whose forward pass is captured once and then launched as a graph: one call instead of one a kernel.

#include <lapse/device/controls.hpp>
#include <lapse/measure/subject.hpp>
#include <vector>

namespace lapse::measuring {

/// The subject outlives it. Of a staged one the forward pass alone is captured, of another all that a submit hands over.
class GraphSubject final : public Subject {
 public:
  /// A first run takes memory; TorchScript watches one more, and optimises in the next.
  static constexpr std::size_t kRunsBefore = 3;

  /// Runs everything a few times first, because first runs take memory and optimise, and captures one graph for every slot and input set.
  /// Errors: BadUse when there is no asynchronous device; Unsupported with the reason when the subject can't be captured; those of the
  /// subject.
  static Result<GraphSubject> make(Subject& subject);

  Result<void> submit(std::size_t slot, std::size_t iteration) override;
  Result<void> submit(std::size_t slot, std::size_t iteration, Stage stage) override;
  bool staged() const noexcept override { return subject_->staged(); }
  Result<void> fetch(std::size_t slot, std::size_t iteration) override { return subject_->fetch(slot, iteration); }
  bool asynchronous() const noexcept override { return true; }
  std::size_t sets() const noexcept override { return subject_->sets(); }
  std::size_t slots() const noexcept override { return subject_->slots(); }
  device::Timeline& timeline() noexcept override { return subject_->timeline(); }

 private:
  explicit GraphSubject(Subject& subject) : subject_(&subject) {}
  Result<void> forward(std::size_t slot, std::size_t iteration);
  Result<void> hand_over(std::size_t slot, std::size_t iteration);
  Result<device::Graph> capture(std::size_t slot, std::size_t set);

  Subject* subject_;
  device::Controls* controls_ = nullptr;
  std::vector<device::Graph> graphs_;  // by slot, then by set
};

}  // namespace lapse::measuring
