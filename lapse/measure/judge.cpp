#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <lapse/measure/disturbances.hpp>
#include <lapse/measure/judge.hpp>
#include <lapse/measure/median.hpp>
#include <utility>

namespace lapse::measuring {
namespace {

// A device-wide synchronise varies by some microseconds, and an interrupted thread sees it end late; a real leftover is there after most
// runs.
constexpr Duration kLeastLeft = std::chrono::microseconds{20};
constexpr double kLeftShare = 0.02;
constexpr std::size_t kFewestLooks = 3;
// Marks with nothing between them read as an empty pair; this much more is still nothing.
constexpr double kEmptyFactor = 3.0;
constexpr Duration kEmptySlack = std::chrono::microseconds{2};
// Behind a backlog the device may run at a slightly other clock, with a cache that the backlog left alone.
constexpr double kGapShare = 0.05;
constexpr Duration kLeastGap = std::chrono::microseconds{2};
// Inferences spread, and behind a backlog there are few: so many deviations of their median are chance.
constexpr double kGapDeviations = 5.0;
constexpr double kDeviation = 1 / 0.6745;  // of a normal distribution, by its median distance from the median
constexpr Duration kLeastFetch = std::chrono::microseconds{20};
constexpr double kFetchShare = 0.02;

double count(Duration duration) { return static_cast<double>(duration.count()); }
std::string text(Duration duration) { return format_nanoseconds(count(duration)); }
std::string percent(double share) { return fmt::format("{:.2g} %", 100 * share); }

class Judge {
 public:
  Judge(const Evidence& evidence, std::span<const Sample> samples, bool asynchronous)
      : evidence_(evidence), samples_(samples), asynchronous_(asynchronous) {}

  std::vector<Finding> operator()() {
    leftovers();
    launch_gaps();
    outputs();
    clocks();
    return std::move(findings_);
  }

 private:
  void clean(Rule rule) { findings_.push_back({rule, Verdict::Clean, {}, {}}); }
  void skip(Rule rule, std::string reason) { findings_.push_back({rule, Verdict::NotExamined, std::move(reason), {}}); }
  void find(Rule rule, std::string code, std::map<std::string, std::string> facts) {
    findings_.push_back({rule, Verdict::Found, {}, {std::move(code), std::move(facts)}});
  }

  static bool late(const Look& look) {
    return look.left > std::max(kLeastLeft, Duration{static_cast<Duration::rep>(kLeftShare * count(look.end_to_end))});
  }
  static bool mostly_late(std::span<const Look> looks) {
    return looks.size() >= kFewestLooks && 2 * static_cast<std::size_t>(std::ranges::count_if(looks, late)) > looks.size();
  }

  // Marks on an idle stream are passed as they are recorded, and read as the time of the call between them; behind a backlog they read as
  // nothing, as only nothing does.
  bool stream_was_idle(Duration device) const {
    const auto& backlog = evidence_.single_backlog;
    const double nothing = kEmptyFactor * count(evidence_.empty_pair) + count(kEmptySlack);
    return count(backlog && backlog->held ? backlog->device : device) <= nothing;
  }

  void leftovers() {
    if (evidence_.alone.size() < kFewestLooks) {
      for (const Rule rule : {Rule::PendingOnReturn, Rule::OtherStream, Rule::SideStream}) skip(rule, "no-time");
      return;
    }
    const bool alone = mostly_late(evidence_.alone);
    const bool left_over = alone || mostly_late(evidence_.between);
    const std::span<const Look> looks = left_over && !alone ? evidence_.between : evidence_.alone;
    const Duration left = median_of(looks, &Look::left);
    const Duration device = median_of(looks, &Look::device);
    const Duration end_to_end = median_of(looks, &Look::end_to_end);
    const std::map<std::string, std::string> facts{{"left", text(left)}, {"device", text(device)}, {"end_to_end", text(end_to_end)}};
    if (!asynchronous_) {
      left_over ? find(Rule::PendingOnReturn, "pending_on_return", facts) : clean(Rule::PendingOnReturn);
      skip(Rule::OtherStream, "blocking");
      skip(Rule::SideStream, "blocking");
      return;
    }
    skip(Rule::PendingOnReturn, "asynchronous");
    other_stream_ = left_over && stream_was_idle(device);
    if (other_stream_) {
      find(Rule::OtherStream, "other_stream", facts);
      skip(Rule::SideStream, "other-stream");
    } else {
      clean(Rule::OtherStream);
      left_over ? find(Rule::SideStream, "side_stream", facts) : clean(Rule::SideStream);
    }
  }

  void launch_gaps() {
    if (!asynchronous_) return skip(Rule::LaunchGaps, "blocking");
    if (other_stream_) return skip(Rule::LaunchGaps, "other-stream");  // the marks hold nothing but the call
    if (!evidence_.idle) return skip(Rule::LaunchGaps, "no-time");
    if (evidence_.backlogs.empty() && !evidence_.no_time_for_backlogs) return clean(Rule::LaunchGaps);  // too short a call to leave any
    std::vector<Duration> held = evidence_.held();
    const auto& single = evidence_.single_backlog;
    if (evidence_.backlogs.empty() && single && single->held) held.push_back(single->device);  // one tells less, but more than none
    if (held.empty()) return skip(Rule::LaunchGaps, evidence_.backlogs.empty() ? "no-time" : "self-synchronising");
    const Duration behind = median_of(held);
    const Duration direct = evidence_.idle->device;
    const double chance = kGapDeviations * deviation() / std::sqrt(static_cast<double>(held.size()));
    if (count(direct - behind) <= std::max({count(kLeastGap), kGapShare * count(direct), chance})) return clean(Rule::LaunchGaps);
    find(Rule::LaunchGaps, "launch_gaps",
         {{"device", text(direct)}, {"work", text(behind)}, {"percent", percent(count(direct - behind) / count(direct))}});
  }

  // Of the device time of one run.
  double deviation() const {
    const Duration middle = median_of(samples_, &Sample::device);
    return kDeviation * count(median_of(samples_, [&](const Sample& sample) { return std::chrono::abs(sample.device - middle); }));
  }

  void outputs() {
    if (!asynchronous_) return skip(Rule::OutputsOnDevice, "blocking");
    if (!evidence_.fetch || !evidence_.idle) return skip(Rule::OutputsOnDevice, "no-time");
    const Duration fetch = *evidence_.fetch, whole = evidence_.idle->end_to_end;
    if (fetch <= kLeastFetch || count(fetch) <= kFetchShare * count(whole)) return clean(Rule::OutputsOnDevice);
    find(Rule::OutputsOnDevice, "outputs_on_device",
         {{"fetch", text(fetch)}, {"end_to_end", text(whole)}, {"percent", percent(count(fetch) / count(whole))}});
  }

  void clocks() {
    const std::vector<device::ClockReading> readings = during_runs(evidence_.clocks, samples_);
    if (readings.empty()) return skip(Rule::Clocks, "no-reading");
    const auto held_down = std::ranges::count_if(readings, [](const device::ClockReading& reading) { return reading.reasons != 0; });
    const auto [low, high] = std::ranges::minmax_element(readings, {}, &device::ClockReading::mhz);
    std::uint32_t reasons = 0;
    for (const device::ClockReading& reading : readings) reasons |= reading.reasons;
    const bool fell = low->mhz < (1 - kClockShare) * high->mhz;
    if (!fell && held_down == 0) return clean(Rule::Clocks);
    std::map<std::string, std::string> facts{{"low", fmt::format("{:.0f}", low->mhz)}, {"high", fmt::format("{:.0f}", high->mhz)}};
    if (evidence_.max_mhz > 0) facts["max"] = fmt::format("{:.0f}", evidence_.max_mhz);
    if (held_down > 0) {
      facts["reasons"] = reason_names(reasons);
      facts["percent"] = percent(static_cast<double>(held_down) / static_cast<double>(readings.size()));
    }
    find(Rule::Clocks, held_down > 0 ? "clock_held_down" : "clock_fell", std::move(facts));
  }

  const Evidence& evidence_;
  std::span<const Sample> samples_;
  bool asynchronous_;
  bool other_stream_ = false;
  std::vector<Finding> findings_;
};

}  // namespace

std::string reason_names(std::uint32_t reasons) {
  constexpr std::pair<device::ClockReason, const char*> kNames[]{{device::ClockReason::PowerCap, "power cap"},
                                                                 {device::ClockReason::Thermal, "thermal"},
                                                                 {device::ClockReason::HardwareSlowdown, "hardware slowdown"},
                                                                 {device::ClockReason::Settings, "clock settings"}};
  std::vector<std::string> out;
  for (const auto& [reason, name] : kNames) {
    if ((reasons & static_cast<std::uint32_t>(reason)) != 0) out.emplace_back(name);
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

std::string_view name(Rule rule) noexcept {
  switch (rule) {
    case Rule::PendingOnReturn:
      return "pending-on-return";
    case Rule::OtherStream:
      return "other-stream";
    case Rule::SideStream:
      return "side-stream";
    case Rule::LaunchGaps:
      return "launch-gaps";
    case Rule::OutputsOnDevice:
      return "outputs-on-device";
    case Rule::Clocks:
      break;
  }
  return "clocks";
}

std::string_view name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::Clean:
      return "clean";
    case Verdict::Found:
      return "found";
    case Verdict::NotExamined:
      break;
  }
  return "not-examined";
}

std::string_view name(Bound bound) noexcept {
  switch (bound) {
    case Bound::Launch:
      return "launch";
    case Bound::Device:
      return "device";
    case Bound::Unknown:
      break;
  }
  return "";
}

Bound bound(Duration submit, Duration device) noexcept {
  if (submit.count() <= 0 && device.count() <= 0) return Bound::Unknown;
  return submit > device ? Bound::Launch : Bound::Device;
}

std::vector<Finding> judge(const Evidence& evidence, std::span<const Sample> samples, bool asynchronous) {
  if (!evidence.examined || samples.empty()) return {};
  return Judge{evidence, samples, asynchronous}();
}

}  // namespace lapse::measuring
