#pragma once
// The timeline of work that is done when its call returns: a mark is a reading of the clock.

#include <cstddef>
#include <lapse/device/timeline.hpp>
#include <vector>

namespace lapse::device {

/// CLOCK_MONOTONIC (std::chrono::steady_clock). `now` may be called from any thread.
class HostTimeline : public Timeline {
 public:
  Instant now() noexcept override;
  void* stream(std::size_t /*stream*/ = 0) noexcept override { return nullptr; }
  Result<Mark> make_mark() override;
  Result<void> record(Mark mark, std::size_t stream = 0) override;
  Result<void> follow(Mark /*mark*/, std::size_t /*stream*/) override { return {}; }
  Result<bool> passed(Mark /*mark*/) override { return true; }
  Result<void> wait(Mark /*mark*/) override { return {}; }
  Result<std::size_t> wait_any(std::span<const Mark> /*marks*/) override { return std::size_t{0}; }
  Result<void> synchronize() override { return {}; }
  Result<Duration> elapsed(Mark from, Mark to) override;
  /// Reads and writes twice the last-level cache's size, on the calling thread. The first call allocates.
  Result<void> flush_cache(std::size_t stream = 0) override;

 private:
  std::vector<Instant> marks_;
  std::vector<std::byte> larger_than_cache_;
};

}  // namespace lapse::device
