#pragma once
// A simulated asynchronous device: known work, done at known times, so that every rule of timing can be proved without a GPU. How work and
// marks are ordered in time: lapse/device/sim_stream.hpp.

#include <cstdint>
#include <deque>
#include <lapse/device/controls.hpp>
#include <lapse/device/sim_stream.hpp>
#include <lapse/device/timeline.hpp>
#include <memory>
#include <vector>

namespace lapse::device {

/// `stream(i)` is a SimStream*. Beside the streams that it marks there is one more, which it doesn't: SimStream::side.
class SimTimeline final : public Timeline, private Controls {
 public:
  using Time = SimClock::Time;

  explicit SimTimeline(Time time, std::size_t streams = 1);
  ~SimTimeline() override;

  Instant now() noexcept override { return clock_.now(); }
  bool is_virtual() const noexcept override { return clock_.is_virtual(); }
  void sleep(Duration duration) noexcept override;
  std::size_t streams() const noexcept override { return streams_.size(); }
  void* stream(std::size_t stream = 0) noexcept override { return streams_[stream].get(); }
  Result<Mark> make_mark() override;
  Result<void> record(Mark mark, std::size_t stream = 0) override;
  Result<void> follow(Mark mark, std::size_t stream) override;
  Result<bool> passed(Mark mark) override;
  Result<void> wait(Mark mark) override;
  Result<std::size_t> wait_any(std::span<const Mark> marks) override;
  Result<void> synchronize() override;
  Result<Duration> elapsed(Mark from, Mark to) override;
  Result<void> flush_cache(std::size_t stream = 0) override;
  Controls* controls() noexcept override { return this; }

 private:
  DeviceInfo info() override { return {"simulated device", {}, {}, 0}; }
  Result<std::uint64_t> memory_used() override { return std::uint64_t{0}; }
  Result<void> synchronize_device() override;
  Result<void> spin(Duration duration, std::size_t stream) override;
  Result<Duration> spun() override { return spun_; }
  Result<void> empty_work(std::size_t stream) override;
  Result<void> begin_capture(std::size_t stream) override;
  Result<Graph> end_capture(std::size_t stream) override;
  Result<void> launch(Graph graph, std::size_t stream) override;

  SimClock clock_;
  std::deque<SimStamp> stamps_;  // they stay where they are: streams remember them
  std::vector<std::vector<SimWork>> graphs_;
  Duration spun_{};
  std::unique_ptr<SimStream> side_;
  std::vector<std::unique_ptr<SimStream>> streams_;
};

}  // namespace lapse::device
