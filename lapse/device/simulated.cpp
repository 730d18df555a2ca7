#include <algorithm>
#include <lapse/device/simulated.hpp>
#include <thread>

namespace lapse::device {
namespace {

constexpr Duration kFlushTime = std::chrono::microseconds{20};

}  // namespace

SimTimeline::SimTimeline(Time time, std::size_t streams) : clock_(time), side_(std::make_unique<SimStream>(clock_)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, streams); ++i) {
    streams_.push_back(std::make_unique<SimStream>(clock_));
    streams_.back()->set_side(*side_);
  }
}

// Before any stream goes, none waits for another.
SimTimeline::~SimTimeline() { (void)synchronize(); }

void SimTimeline::sleep(Duration duration) noexcept {
  if (is_virtual()) return clock_.spend(duration);
  Timeline::sleep(duration);
}

Result<Mark> SimTimeline::make_mark() {
  stamps_.emplace_back();
  for (const auto& stream : streams_) stream->reserve_stamps(stamps_.size());
  return Mark{static_cast<std::uint32_t>(stamps_.size() - 1)};
}

Result<void> SimTimeline::record(Mark mark, std::size_t stream) {
  streams_[stream]->stamp(stamps_[mark.index]);
  return {};
}

Result<void> SimTimeline::follow(Mark mark, std::size_t stream) {
  streams_[stream]->follow(stamps_[mark.index]);
  return {};
}

Result<bool> SimTimeline::passed(Mark mark) {
  SimStamp& stamp = stamps_[mark.index];
  return stamp.stream->passed(stamp);
}

Result<void> SimTimeline::wait(Mark mark) {
  SimStamp& stamp = stamps_[mark.index];
  stamp.stream->wait(stamp);
  return {};
}

Result<std::size_t> SimTimeline::wait_any(std::span<const Mark> marks) {
  if (clock_.is_virtual()) {
    const auto first = std::ranges::min_element(marks, {}, [&](Mark mark) { return stamps_[mark.index].at; });
    LAPSE_CHECK(wait(*first));
    return static_cast<std::size_t>(first - marks.begin());
  }
  while (true) {
    for (std::size_t i = 0; i < marks.size(); ++i) {
      SimStamp& stamp = stamps_[marks[i].index];
      if (stamp.stream->passed(stamp)) return i;
    }
    std::this_thread::yield();
  }
}

Result<void> SimTimeline::synchronize() {
  for (const auto& stream : streams_) stream->drain();
  return {};
}

Result<Duration> SimTimeline::elapsed(Mark from, Mark to) { return stamps_[to.index].at - stamps_[from.index].at; }

Result<void> SimTimeline::flush_cache(std::size_t stream) {
  streams_[stream]->enqueue(kFlushTime);
  streams_[stream]->set_cold();
  return {};
}

Result<void> SimTimeline::synchronize_device() {
  LAPSE_CHECK(synchronize());
  side_->drain();
  return {};
}

Result<void> SimTimeline::spin(Duration duration, std::size_t stream) {
  spun_ = std::min(duration, kLongestSpin);
  streams_[stream]->enqueue(spun_);
  return {};
}

Result<void> SimTimeline::empty_work(std::size_t stream) {
  streams_[stream]->enqueue(Duration{0});
  return {};
}

Result<void> SimTimeline::begin_capture(std::size_t stream) {
  streams_[stream]->begin_capture();
  return {};
}

Result<Graph> SimTimeline::end_capture(std::size_t stream) {
  std::vector<SimWork> works;
  if (!streams_[stream]->end_capture(works)) {
    return fail(ErrorCode::Unsupported, "what was submitted waited for the device, which a graph can't hold", "leave --cuda-graph out");
  }
  graphs_.push_back(std::move(works));
  return Graph{static_cast<std::uint32_t>(graphs_.size() - 1)};
}

Result<void> SimTimeline::launch(Graph graph, std::size_t stream) {
  for (const SimWork& work : graphs_[graph.index]) streams_[stream]->enqueue(work.duration, work.done, work.context);
  return {};
}

}  // namespace lapse::device
