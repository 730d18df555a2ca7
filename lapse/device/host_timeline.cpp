#include <lapse/device/host_timeline.hpp>

namespace lapse::device {

Instant HostTimeline::now() noexcept { return std::chrono::steady_clock::now().time_since_epoch(); }

Result<Mark> HostTimeline::make_mark() {
  marks_.push_back({});
  return Mark{static_cast<std::uint32_t>(marks_.size() - 1)};
}

Result<void> HostTimeline::record(Mark mark) {
  marks_[mark.index] = now();
  return {};
}

Result<Duration> HostTimeline::elapsed(Mark from, Mark to) { return marks_[to.index] - marks_[from.index]; }

}  // namespace lapse::device
