#include <algorithm>
#include <lapse/measure/clock_quality.hpp>

namespace lapse::measuring {

ClockQuality examine_clock(device::Timeline& timeline, Duration time) {
  ClockQuality quality{.resolution = Duration::max()};
  const device::Instant begin = timeline.now();
  std::size_t readings = 0;
  device::Instant before = begin;
  while (before < begin + time) {
    const device::Instant now = timeline.now();
    const Duration step = now - before;
    before = now;
    ++readings;
    if (step < Duration{0}) ++quality.backward;
    if (step > Duration{0}) quality.resolution = std::min(quality.resolution, step);
    if (step < kGap) continue;
    ++quality.gaps;
    quality.lost += step;
    quality.longest = std::max(quality.longest, step);
  }
  quality.watched = before - begin;
  const std::size_t quick = readings - quality.gaps;
  if (quick > 0) quality.reading_ns = static_cast<double>((quality.watched - quality.lost).count()) / static_cast<double>(quick);
  return quality;
}

}  // namespace lapse::measuring
