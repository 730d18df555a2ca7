#pragma once
// A subject that tells the watchdog what its callers wait for. From its submit on they wait for the device, until somebody says otherwise:
// the loop at the end of a batch. So no loop and no audit has to know of the watchdog.

#include <lapse/measure/subject.hpp>
#include <lapse/measure/watchdog.hpp>

namespace lapse::measuring {

/// Both outlive it. The watchdog has a pulse for every thread that submits: one, or on a blocking subject one for each slot.
class WatchedSubject final : public Subject {
 public:
  WatchedSubject(Subject& subject, Watchdog& watchdog)
      : subject_(&subject), watchdog_(&watchdog), asynchronous_(subject.asynchronous()), behind_(asynchronous_ ? Step::Wait : Step::Own) {}

  Result<void> submit(std::size_t slot, std::size_t iteration) override {
    Pulse& pulse = pulse_of(slot);
    pulse.enter(Step::Submit);
    auto submitted = subject_->submit(slot, iteration);
    pulse.enter(behind_);
    return submitted;
  }
  Result<void> submit(std::size_t slot, std::size_t iteration, Stage stage) override {
    Pulse& pulse = pulse_of(slot);
    pulse.enter(Step::Submit);
    auto submitted = subject_->submit(slot, iteration, stage);
    pulse.enter(behind_);
    return submitted;
  }
  Result<void> fetch(std::size_t slot, std::size_t iteration) override {
    const Within step(&pulse_of(slot), Step::Fetch);
    return subject_->fetch(slot, iteration);
  }
  bool staged() const noexcept override { return subject_->staged(); }
  bool asynchronous() const noexcept override { return asynchronous_; }
  std::size_t sets() const noexcept override { return subject_->sets(); }
  std::size_t slots() const noexcept override { return subject_->slots(); }
  device::Timeline& timeline() noexcept override { return subject_->timeline(); }

 private:
  Pulse& pulse_of(std::size_t slot) noexcept { return watchdog_->pulse(asynchronous_ ? 0 : slot); }

  Subject* subject_;
  Watchdog* watchdog_;
  bool asynchronous_;
  Step behind_;
};

}  // namespace lapse::measuring
