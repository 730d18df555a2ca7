#include <algorithm>
#include <array>
#include <cmath>
#include <lapse/device/controls.hpp>
#include <lapse/measure/median.hpp>
#include <lapse/measure/truth.hpp>

namespace lapse::measuring {
namespace {

using namespace std::chrono_literals;

constexpr std::array<Duration, 13> kLengths{5us, 10us, 20us, 50us, 100us, 200us, 500us, 1ms, 2ms, 5ms, 10ms, 20ms, 50ms};
constexpr Duration kTimeForALength = 60ms;
constexpr std::size_t kFewestRuns = 5;
constexpr std::size_t kMostRuns = 101;
constexpr std::size_t kWarmupRuns = 3;
constexpr Duration kBacklog = 200us;  // longer than a host takes to submit two marks and a piece of work
constexpr std::size_t kEmptyRuns = 101;
constexpr double kGoalShare = 0.01;
constexpr Duration kGoalLeast = 2us;

Discrepancy discrepancy_of(const std::vector<Duration>& differences) {
  const auto furthest = std::ranges::max_element(differences, {}, [](Duration difference) { return std::chrono::abs(difference); });
  return {median_of(differences), furthest == differences.end() ? Duration{} : *furthest};
}

class Search {
 public:
  Search(device::Timeline& timeline, device::Controls& controls) : timeline_(timeline), controls_(controls) {}

  Result<Truth> operator()(std::span<const Duration> lengths) {
    LAPSE_TRY(from_, timeline_.make_mark());
    LAPSE_TRY(to_, timeline_.make_mark());
    LAPSE_TRY(truth_.empty_pair, time_empty([] { return Result<void>{}; }));
    LAPSE_TRY(truth_.empty_work, time_empty([this] { return controls_.empty_work(); }));
    for (const Duration length : lengths) LAPSE_CHECK(time_length(length));
    hear_witness();
    return std::move(truth_);
  }

 private:
  template <class Work>
  Result<Duration> time_empty(Work work) {
    std::vector<Duration> times;
    for (std::size_t i = 0; i < kEmptyRuns; ++i) {
      LAPSE_CHECK(timeline_.record(from_));
      LAPSE_CHECK(work());
      LAPSE_CHECK(timeline_.record(to_));
      LAPSE_CHECK(timeline_.synchronize());
      LAPSE_TRY(const Duration time, timeline_.elapsed(from_, to_));
      times.push_back(time);
    }
    return median_of(times);
  }

  static std::size_t runs_of(Duration length) {
    return std::clamp(static_cast<std::size_t>(kTimeForALength / length), kFewestRuns, kMostRuns);
  }

  Result<void> time_length(Duration length) {
    std::vector<Duration> truths, marks, queued, synchronised, calls;
    const std::size_t runs = runs_of(length);
    for (std::size_t i = 0; i < kWarmupRuns + runs; ++i) {
      LAPSE_TRY(const Reading alone, time_once(length));
      LAPSE_CHECK(controls_.spin(kBacklog));
      LAPSE_TRY(const Reading behind, time_once(length));
      if (i < kWarmupRuns) continue;
      truths.push_back(alone.truth);
      marks.push_back(alone.marks - alone.truth);
      queued.push_back(behind.marks - behind.truth);
      synchronised.push_back(alone.synchronised - alone.truth);
      calls.push_back(alone.call - alone.truth);
    }
    truth_.rows.push_back({length, median_of(truths), runs, discrepancy_of(marks), discrepancy_of(queued), discrepancy_of(synchronised),
                           discrepancy_of(calls), std::nullopt});
    return {};
  }

  struct Reading {
    Duration truth, marks, synchronised, call;
  };

  Result<Reading> time_once(Duration length) {
    LAPSE_CHECK(timeline_.record(from_));
    const device::Instant begin = timeline_.now();
    LAPSE_CHECK(controls_.spin(length));
    const device::Instant returned = timeline_.now();
    LAPSE_CHECK(timeline_.record(to_));
    LAPSE_CHECK(timeline_.wait(to_));
    const device::Instant end = timeline_.now();
    LAPSE_TRY(const Duration marks, timeline_.elapsed(from_, to_));
    LAPSE_TRY(const Duration truth, controls_.spun());
    return Reading{truth, marks, end - begin, returned - begin};
  }

  // Recording costs time, so the witness has runs of its own. What it can't tell is no fault of the other methods.
  void hear_witness() {
    device::Witness* const witness = controls_.witness();
    if (witness == nullptr) return;
    truth_.witness = witness->name();
    for (TruthRow& row : truth_.rows) {
      auto heard = hear(*witness, row.asked);
      if (!heard) {
        truth_.witness_error = std::move(heard).error().message;
        return;
      }
      row.witness = *heard;
    }
  }

  Result<Discrepancy> hear(device::Witness& witness, Duration length) {
    std::vector<Duration> truths;
    LAPSE_CHECK(witness.start());
    for (std::size_t i = 0; i < runs_of(length); ++i) {
      LAPSE_CHECK(controls_.spin(length));
      LAPSE_CHECK(timeline_.synchronize());
      LAPSE_TRY(const Duration truth, controls_.spun());
      truths.push_back(truth);
    }
    LAPSE_TRY(auto recorded, witness.stop());
    if (recorded.size() != truths.size()) {
      return fail(ErrorCode::DeviceUnusable, witness.name() + " recorded another number of kernels than there were");
    }
    for (std::size_t i = 0; i < truths.size(); ++i) recorded[i] -= truths[i];
    return discrepancy_of(recorded);
  }

  device::Timeline& timeline_;
  device::Controls& controls_;
  device::Mark from_{}, to_{};
  Truth truth_;
};

}  // namespace

std::span<const Duration> default_lengths() noexcept { return kLengths; }

Result<Truth> find_truth(device::Timeline& timeline, std::span<const Duration> lengths) {
  device::Controls* const controls = timeline.controls();
  if (controls == nullptr) {
    return fail(ErrorCode::BadUse, "the CPU is no asynchronous device: there is nothing to compare",
                "name one: --device cuda, or --device sim");
  }
  return Search{timeline, *controls}(lengths);
}

bool within_goal(Duration discrepancy, Duration truth) noexcept {
  const auto share = Duration{std::llround(kGoalShare * static_cast<double>(truth.count()))};
  return std::chrono::abs(discrepancy) <= std::max(kGoalLeast, share);
}

}  // namespace lapse::measuring
