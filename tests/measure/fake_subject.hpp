#pragma once
// A subject in exact virtual time, whose durations a test writes down.

#include <functional>
#include <lapse/device/simulated.hpp>
#include <lapse/measure/subject.hpp>
#include <optional>
#include <vector>

namespace lapse::measuring {

class FakeSubject final : public Subject {
 public:
  using DurationOf = std::function<Duration(std::size_t iteration)>;
  static constexpr std::size_t kSlots = 8;

  explicit FakeSubject(DurationOf device, Duration submit = Duration{0}, bool asynchronous = true, std::size_t streams = 1)
      : timeline_{device::SimTimeline::Time::Virtual, streams}, device_(std::move(device)), submit_(submit), asynchronous_(asynchronous) {}

  Result<void> submit(std::size_t slot, std::size_t iteration) override {
    for (const Stage stage : {Stage::H2D, Stage::Forward, Stage::D2H}) {
      if (auto submitted = submit(slot, iteration, stage); !submitted) return submitted;
    }
    return {};
  }
  bool staged() const noexcept override { return h2d || d2h; }
  Result<void> submit(std::size_t slot, std::size_t iteration, Stage stage) override {
    device::SimStream& stream = stream_in(slot);
    if (stage == Stage::Forward) {
      if (fail_at && iteration >= *fail_at) return fail(ErrorCode::DeviceUnusable, "the device was lost");
      last_slot = slot;
      iterations.push_back(iteration);
      ++submits;
      if (after_submit) after_submit(submits);
      for (int kernel = 0; kernel < kernels; ++kernel) {
        stream.host_work(submit_ / kernels);
        stream.enqueue(device_(iteration) / kernels, &FakeSubject::count, &completed);
      }
      if (synchronises) stream.drain();
    } else if (const auto& copy = stage == Stage::H2D ? h2d : d2h) {
      stream.enqueue(*copy, &FakeSubject::count, &completed);
    }
    if (!asynchronous_) stream.drain();
    return {};
  }
  Result<void> fetch(std::size_t slot, std::size_t) override {
    stream_in(slot).enqueue(fetched);
    stream_in(slot).drain();
    return {};
  }
  bool asynchronous() const noexcept override { return asynchronous_; }
  std::size_t slots() const noexcept override { return kSlots; }
  std::size_t sets() const noexcept override { return input_sets; }
  device::Timeline& timeline() noexcept override { return timeline_; }
  device::SimStream& stream_in(std::size_t slot) { return *static_cast<device::SimStream*>(timeline_.stream(stream_of(slot))); }

  std::optional<Duration> h2d, d2h;  // with either it is staged
  Duration fetched{0};
  int kernels = 1;
  bool synchronises = false;  // says that it is asynchronous, and waits in its submit all the same
  std::size_t input_sets = 1;
  std::optional<std::size_t> fail_at;
  std::function<void(std::size_t)> after_submit;
  std::size_t submits = 0, last_slot = 0, completed = 0;  // pieces of work
  std::vector<std::size_t> iterations;

 private:
  static void count(void* counter) { ++*static_cast<std::size_t*>(counter); }

  device::SimTimeline timeline_;
  DurationOf device_;
  Duration submit_;
  bool asynchronous_;
};

}  // namespace lapse::measuring
