#include <fmt/format.h>

#include <algorithm>
#include <lapse/measure/diagnosis.hpp>
#include <lapse/measure/judge.hpp>
#include <utility>

namespace lapse::measuring {
namespace {

using Facts = std::map<std::string, std::string>;

// One per cent is the precision that is asked for unless somebody says otherwise; a share of a tenth of it can't be told from it. What
// takes more than a twentieth is as large as what people want to compare.
constexpr double kPrecision = 0.01;
constexpr double kNegligible = kPrecision / 10;
constexpr double kLarge = 0.05;
// By the vDSO a reading takes 20 to 50 ns; a system call for it 200 ns and more; the clocks outside of the CPU take a microsecond.
constexpr double kCheapReading = 100, kDearReading = 500;
constexpr Duration kFineStep = std::chrono::microseconds{1};
constexpr double kWarm = 5.0;  // degrees below the trip point at which the kernel slows the CPU down

std::string percent(double share) { return share > 0 && share < 5e-5 ? "< 0.01 %" : fmt::format("{:.2g} %", 100 * share); }
std::string seconds(Duration time) {
  const double value = std::chrono::duration<double>(time).count();
  return fmt::format("{:.{}f} s", value, value < 9.95 ? 1 : 0);
}
std::string bytes(std::uint64_t count) { return fmt::format("{:.3g} GiB", static_cast<double>(count) / (1u << 30)); }

Grade by(double value, double note_above, double bad_above) {
  return value > bad_above ? Grade::Bad : value > note_above ? Grade::Note : Grade::Good;
}

/// "1.38" and "1.35 … 1.41": how many times as long it takes.
void add_effect(Facts& facts, const Pairs& pairs) {
  const auto times = ratio(pairs);
  if (!times) return;
  facts["effect"] = fmt::format("{:.3f}", times->value);
  facts["range"] = fmt::format("{:.3f} … {:.3f}", times->low, times->high);
}
/// Of a difference that is there: how large it may be taken to be at least.
double effect(const std::optional<stats::Estimate>& times) {
  if (!times) return 0.0;
  return std::max({0.0, times->low - 1.0, 1.0 - times->high});
}

class Doctor {
 public:
  explicit Doctor(const Examination& examination) : seen_(examination) {}

  std::vector<Diagnosis> operator()() {
    noise();
    clock();
    interruptions();
    others();
    frequency();
    heat();
    cpus();
    company();
    memory();
    layout();
    return std::move(found_);
  }

 private:
  void find(std::string code, Grade grade, Facts facts) { found_.push_back({std::move(code), grade, std::move(facts)}); }

  void noise() {
    const auto floor_of = [this](std::string code, const Pairs& pairs) {
      const auto floor = noise_floor(pairs);
      if (!floor) return;
      find(std::move(code), by(floor->unseen, kPrecision, kLarge),
           {{"unseen", percent(floor->unseen)}, {"found", percent(floor->found)}, {"time", seconds(pairs.spent)}});
    };
    floor_of("noise_arithmetic", seen_.arithmetic);
    if (seen_.memory) floor_of("noise_memory", *seen_.memory);
  }

  void clock() {
    const ClockQuality& clock = seen_.clock;
    Facts facts{{"step", format(clock.resolution)}, {"reading", format_nanoseconds(clock.reading_ns)}};
    if (!seen_.before.clock_source.empty()) facts["source"] = seen_.before.clock_source;
    if (clock.backward > 0) facts["backward"] = std::to_string(clock.backward);
    const auto& others = seen_.before.clock_sources;
    if (seen_.before.clock_source != "tsc" && std::ranges::find(others, "tsc") != others.end()) facts["better"] = "tsc";
    const bool bad = clock.backward > 0 || clock.resolution > kFineStep || clock.reading_ns > kDearReading;
    find("clock", bad ? Grade::Bad : by(clock.reading_ns, kCheapReading, kDearReading), std::move(facts));
  }

  void interruptions() {
    const ClockQuality& clock = seen_.clock;
    const double lost =
        clock.watched.count() > 0 ? static_cast<double>(clock.lost.count()) / static_cast<double>(clock.watched.count()) : 0.0;
    find("interruptions", by(lost, kNegligible, kPrecision),
         {{"lost", percent(lost)}, {"longest", format(clock.longest)}, {"gaps", std::to_string(clock.gaps)}});
  }

  void others() {
    const host::Disturbance& meanwhile = seen_.disturbance;
    find("steal", by(meanwhile.steal, kNegligible, kPrecision), {{"share", percent(meanwhile.steal)}});
    find("load", by(meanwhile.others, kPrecision, kLarge),
         {{"share", percent(meanwhile.others)}, {"load", fmt::format("{:.2f}", seen_.load_1min)}});
  }

  void frequency() {
    const double spread = speed_spread(seen_.spins);
    find("speed", by(spread, kPrecision, kLarge), {{"spread", percent(spread)}, {"time", seconds(seen_.spent)}});
    Facts facts;
    if (!seen_.machine.governor.empty()) facts["governor"] = seen_.machine.governor;
    if (seen_.before.highest_mhz > 0) {
      facts["low"] = fmt::format("{:.0f}", seen_.before.lowest_mhz);
      facts["high"] = fmt::format("{:.0f}", seen_.before.highest_mhz);
    }
    if (seen_.before.turbo) facts[*seen_.before.turbo ? "turbo" : "no_turbo"] = "";
    const bool fixed = seen_.machine.governor == "performance" && !seen_.before.turbo.value_or(false);
    find("frequency", fixed ? Grade::Good : Grade::Note, std::move(facts));
  }

  void heat() {
    const host::Condition& after = seen_.after;
    if (!after.throttle_events && !after.celsius) return find("heat", Grade::Note, {});
    Facts facts;
    Grade grade = Grade::Good;
    if (after.celsius) facts["celsius"] = fmt::format("{:.0f}", *after.celsius);
    if (after.celsius_left) {
      facts["left"] = fmt::format("{:.0f}", *after.celsius_left);
      if (*after.celsius_left < kWarm) grade = Grade::Note;
    }
    if (after.throttle_events) {
      const std::uint64_t meanwhile = *after.throttle_events - std::min(*after.throttle_events, seen_.before.throttle_events.value_or(0));
      facts["events"] = std::to_string(*after.throttle_events);
      if (*after.throttle_events > 0) grade = Grade::Note;
      if (meanwhile > 0) {
        facts["meanwhile"] = std::to_string(meanwhile);
        grade = Grade::Bad;
      }
    }
    find("heat", grade, std::move(facts));
  }

  void cpus() {
    const host::Fingerprint& machine = seen_.machine;
    const bool all = machine.cpus_allowed >= machine.cpus_online;
    find("cpus", all && machine.cpus_allowed > 1 ? Grade::Good : Grade::Note,
         {{"allowed", std::to_string(machine.cpus_allowed)}, {"online", std::to_string(machine.cpus_online)}});
    Facts facts;
    if (machine.cpu_limit) facts["limit"] = fmt::format("{:.3g}", *machine.cpu_limit);
    const std::uint64_t periods = seen_.disturbance.throttled;
    if (periods > 0) facts["periods"] = std::to_string(periods);
    find("quota", periods > 0 ? Grade::Bad : machine.cpu_limit ? Grade::Note : Grade::Good, std::move(facts));
  }

  void company() {
    Facts facts;
    const auto& siblings = seen_.before.siblings;
    if (!siblings.empty()) facts["count"] = std::to_string(siblings.size());
    bool slower = false;
    if (seen_.company) {
      facts["cpu"] = std::to_string(seen_.company->cpu);
      facts["neighbour"] = std::to_string(seen_.company->neighbour);
      // What others run has to go somewhere when one CPU more is taken: then it is not the neighbour that slows the work down.
      if (seen_.disturbance.others > kLarge) {
        facts["crowded"] = percent(seen_.disturbance.others);
      } else {
        add_effect(facts, seen_.company->pairs);
        slower = effect(ratio(seen_.company->pairs)) > kPrecision;
      }
    }
    find("siblings", !siblings.empty() || slower ? Grade::Note : Grade::Good, std::move(facts));
  }

  void memory() {
    const host::Condition& after = seen_.after;
    if (!after.huge_pages.empty()) {
      Facts facts{{"setting", after.huge_pages}};
      if (seen_.huge_pages) add_effect(facts, *seen_.huge_pages);
      const bool matters = seen_.huge_pages && effect(ratio(*seen_.huge_pages)) > kPrecision;
      find("huge_pages", matters && after.huge_pages != "always" ? Grade::Note : Grade::Good, std::move(facts));
    }
    Facts facts;
    if (after.swap_total > 0) facts = {{"used", bytes(after.swap_used)}, {"total", bytes(after.swap_total)}};
    const std::uint64_t moved = after.swapped_pages - std::min(after.swapped_pages, seen_.before.swapped_pages);
    if (moved > 0) facts["pages"] = std::to_string(moved);
    find("swap", moved > 0 ? Grade::Bad : after.swap_used > 0 ? Grade::Note : Grade::Good, std::move(facts));
  }

  void layout() {
    if (!seen_.before.random_layout) return;
    find(*seen_.before.random_layout ? "layout_random" : "layout_fixed", *seen_.before.random_layout ? Grade::Good : Grade::Note, {});
  }

  const Examination& seen_;
  std::vector<Diagnosis> found_;
};

}  // namespace

std::string_view name(Grade grade) noexcept {
  switch (grade) {
    case Grade::Good:
      return "good";
    case Grade::Note:
      return "note";
    case Grade::Bad:
      return "bad";
  }
  return "";
}

std::vector<Diagnosis> diagnose(const Examination& examination) { return Doctor(examination)(); }

std::vector<Diagnosis> diagnose(const DeviceState& device) {
  using device::ClockReason;
  constexpr auto kHot = static_cast<std::uint32_t>(ClockReason::Thermal) | static_cast<std::uint32_t>(ClockReason::HardwareSlowdown);
  std::vector<Diagnosis> found;
  Facts clock;
  Grade grade = Grade::Note;  // not known
  if (device.busy) {
    clock["mhz"] = fmt::format("{:.0f}", device.busy->mhz);
    if (device.max_mhz > 0) clock["max"] = fmt::format("{:.0f}", device.max_mhz);
    const std::string reasons = reason_names(device.busy->reasons);
    if (!reasons.empty()) clock["reasons"] = reasons;
    grade = (device.busy->reasons & kHot) != 0 ? Grade::Bad : reasons.empty() ? Grade::Good : Grade::Note;
  }
  found.push_back({"device_clock", grade, std::move(clock)});
  if (device.info.memory_bytes > 0) {
    found.push_back({"device_memory", Grade::Good, {{"used", bytes(device.memory_used)}, {"total", bytes(device.info.memory_bytes)}}});
  }
  return found;
}

Grade worst(const std::vector<Diagnosis>& diagnoses) noexcept {
  Grade grade = Grade::Good;
  for (const Diagnosis& diagnosis : diagnoses) grade = std::max(grade, diagnosis.grade);
  return grade;
}

}  // namespace lapse::measuring
