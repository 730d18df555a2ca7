#pragma once
// What may have disturbed a timed run, as a mark on it. A marked run stays a sample: reports show the estimates with and without.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace lapse::measuring {

/// Bits of Tag::reasons.
enum class Disturber : std::uint32_t {
  Steal = 1,      // the hypervisor took CPU time from this machine
  Quota = 2,      // the control group was out of CPU time
  Preempted = 4,  // the kernel gave a CPU of this process to somebody else
  Clock = 8,      // the device's clock was low, or held down
};

inline constexpr std::array<std::pair<Disturber, std::string_view>, 4> kDisturbers{
    {{Disturber::Steal, "steal"}, {Disturber::Quota, "quota"}, {Disturber::Preempted, "preempted"}, {Disturber::Clock, "clock"}}};

/// Consecutive samples with the same reasons.
struct Tag {
  std::size_t first = 0, count = 0;
  std::uint32_t reasons = 0;

  bool has(Disturber disturber) const noexcept { return (reasons & static_cast<std::uint32_t>(disturber)) != 0; }
  friend bool operator==(const Tag&, const Tag&) = default;
};

}  // namespace lapse::measuring
