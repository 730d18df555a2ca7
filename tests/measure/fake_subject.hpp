#pragma once
// A subject in exact virtual time, whose durations a test writes down.

#include <functional>
#include <lapse/device/simulated.hpp>
#include <lapse/measure/subject.hpp>
#include <optional>

namespace lapse::measuring {

class FakeSubject final : public Subject {
 public:
  using DurationOf = std::function<Duration(std::size_t iteration)>;

  explicit FakeSubject(DurationOf device, Duration submit = Duration{0}, bool asynchronous = true)
      : device_(std::move(device)), submit_(submit), asynchronous_(asynchronous) {}

  Result<void> submit(std::size_t slot, std::size_t iteration) override {
    if (fail_at && iteration >= *fail_at) return fail(ErrorCode::DeviceUnusable, "the device was lost");
    last_slot = slot;
    ++submits;
    if (after_submit) after_submit(submits);
    auto& stream = *static_cast<device::SimStream*>(timeline_.stream());
    stream.host_work(submit_);
    stream.enqueue(device_(iteration), nullptr, nullptr);
    if (!asynchronous_) stream.drain();
    return {};
  }
  bool asynchronous() const noexcept override { return asynchronous_; }
  std::size_t slots() const noexcept override { return 8; }
  device::Timeline& timeline() noexcept override { return timeline_; }

  std::optional<std::size_t> fail_at;
  std::function<void(std::size_t)> after_submit;
  std::size_t submits = 0, last_slot = 0;

 private:
  device::SimTimeline timeline_{device::SimTimeline::Time::Virtual};
  DurationOf device_;
  Duration submit_;
  bool asynchronous_;
};

}  // namespace lapse::measuring
