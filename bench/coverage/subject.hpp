#pragma once
// What a series is to the tool: a subject on the host's clock, in virtual time, whose inference takes the next value of the series.

#include <cmath>
#include <lapse/device/simulated.hpp>
#include <lapse/measure/subject.hpp>
#include <utility>

#include "bench/coverage/families.hpp"

namespace lapse::bench {

inline constexpr Duration kBase = std::chrono::milliseconds{5};

class SeriesSubject final : public measuring::Subject {
 public:
  explicit SeriesSubject(Series series) : series_(std::move(series)) {}

  Result<void> submit(std::size_t /*slot*/, std::size_t /*iteration*/) override {
    const Duration taken{std::llround(series_() * static_cast<double>(kBase.count()))};
    static_cast<device::SimStream*>(timeline_.stream())->host_work(taken);
    return {};
  }
  bool asynchronous() const noexcept override { return false; }
  std::size_t slots() const noexcept override { return 1; }
  device::Timeline& timeline() noexcept override { return timeline_; }

 private:
  device::SimTimeline timeline_{device::SimTimeline::Time::Virtual};
  Series series_;
};

}  // namespace lapse::bench
