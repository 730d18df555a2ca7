#include <algorithm>
#include <lapse/measure/disturbances.hpp>

namespace lapse::measuring {
namespace {

// What takes less than this share of a stretch can't be told from the noise that the default precision allows.
constexpr double kLostShare = 0.01;

constexpr std::uint32_t bit(Disturber disturber) noexcept { return static_cast<std::uint32_t>(disturber); }

bool noticeable(Duration lost, Duration length) noexcept {
  return lost.count() > 0 && static_cast<double>(lost.count()) >= kLostShare * static_cast<double>(length.count());
}

}  // namespace

Disturbances::Disturbances(device::Timeline& timeline, Read read) : timeline_(timeline) {
  if (!timeline.is_virtual()) read_ = std::move(read);
}

Disturbances::Watch::Watch(Disturbances* disturbances)
    : disturbances_(disturbances != nullptr && disturbances->read_ ? disturbances : nullptr) {
  if (disturbances_ == nullptr) return;
  before_ = disturbances_->read_();
  begin_ = disturbances_->timeline_.now();
}

Disturbances::Watch::~Watch() {
  if (disturbances_ == nullptr) return;
  const device::Instant end = disturbances_->timeline_.now();
  const std::uint32_t found = reasons(before_, disturbances_->read_(), end - begin_);
  if (found != 0) disturbances_->stretches_.push_back({begin_, end, found});
}

std::uint32_t reasons(const host::Interruptions& before, const host::Interruptions& after, Duration length) noexcept {
  std::uint32_t found = 0;
  // On which CPU is not known; a model uses all of them unless it was told otherwise.
  if (noticeable(after.stolen - before.stolen, length)) found |= bit(Disturber::Steal);
  // Whoever is out of CPU time waits for the next period, mostly of 100 ms.
  if (after.throttled_periods > before.throttled_periods) found |= bit(Disturber::Quota);
  // Threads wait for a CPU a little whenever they wake up, and one that yields to nobody counts as switched: only both are a loss.
  if (after.involuntary_switches > before.involuntary_switches && noticeable(after.waited - before.waited, length)) {
    found |= bit(Disturber::Preempted);
  }
  return found;
}

std::vector<device::ClockReading> during_runs(std::span<const device::ClockReading> readings, std::span<const Sample> samples) {
  std::vector<device::ClockReading> during;
  auto sample = samples.begin();
  for (const device::ClockReading& reading : readings) {
    while (sample != samples.end() && sample->start + sample->end_to_end < reading.at) ++sample;
    if (sample != samples.end() && sample->start <= reading.at) during.push_back(reading);
  }
  return during;
}

std::vector<Stretch> low_clocks(std::span<const device::ClockReading> readings) {
  std::vector<Stretch> stretches;
  if (readings.empty()) return stretches;
  const double high = std::ranges::max(readings, {}, &device::ClockReading::mhz).mhz;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (readings[i].reasons == 0 && readings[i].mhz >= (1 - kClockShare) * high) continue;
    // It changed somewhere in between.
    stretches.push_back({readings[i > 0 ? i - 1 : i].at, readings[std::min(i + 1, readings.size() - 1)].at, bit(Disturber::Clock)});
  }
  return stretches;
}

std::vector<Tag> tag(std::span<const Sample> samples, std::span<const Stretch> stretches) {
  if (samples.empty() || stretches.empty()) return {};
  const Duration longest = std::ranges::max(samples, {}, &Sample::end_to_end).end_to_end;
  std::vector<std::uint32_t> found(samples.size());
  for (const Stretch& stretch : stretches) {
    // The first that can reach into it: starts ascend, ends need not.
    auto sample = std::ranges::lower_bound(samples, stretch.from - longest, {}, &Sample::start);
    for (; sample != samples.end() && sample->start <= stretch.to; ++sample) {
      if (sample->start + sample->end_to_end >= stretch.from) found[static_cast<std::size_t>(sample - samples.begin())] |= stretch.reasons;
    }
  }
  std::vector<Tag> tags;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == 0) continue;
    if (!tags.empty() && tags.back().reasons == found[i] && tags.back().first + tags.back().count == i) {
      ++tags.back().count;
    } else {
      tags.push_back({i, 1, found[i]});
    }
  }
  return tags;
}

}  // namespace lapse::measuring
