#pragma once
// The timeline of work that is done when its call returns: a mark is a reading of the clock.

#include <lapse/device/timeline.hpp>
#include <vector>

namespace lapse::device {

/// CLOCK_MONOTONIC (std::chrono::steady_clock). `now` may be called from any thread.
class HostTimeline final : public Timeline {
 public:
  Instant now() noexcept override;
  Result<Mark> make_mark() override;
  Result<void> record(Mark mark) override;
  Result<void> wait(Mark) override { return {}; }
  Result<void> synchronize() override { return {}; }
  Result<Duration> elapsed(Mark from, Mark to) override;

 private:
  std::vector<Instant> marks_;
};

}  // namespace lapse::device
