#include <algorithm>
#include <lapse/measure/disturbances.hpp>
#include <lapse/measure/loop.hpp>
#include <lapse/measure/median.hpp>
#include <lapse/measure/settling.hpp>
#include <lapse/measure/turns.hpp>
#include <lapse/measure/watchdog.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace lapse::measuring {
namespace {

using device::Instant;

// What is left of the warm-up touches both sides.
constexpr Duration kWarmupBlock = std::chrono::milliseconds{100};

class TurnTaker {
 public:
  TurnTaker(Subject& subject, Loop& loop, const Plan& plan, const Hooks& hooks, Examiner* examiner)
      : timeline_(subject.timeline()), loop_(loop), in_flight_(plan.in_flight), hooks_(hooks), examiner_(examiner) {}

  Result<Measurement> operator()() {
    Block done;
    while (const auto turn = hooks_.turns->next(done)) {
      const Instant begin = timeline_.now();
      LAPSE_TRY(done, turn->warm_up ? warm_up(begin + turn->length) : block(turn->length));
      done.took = timeline_.now() - begin;
    }
    result_.stop = Stop::Budget;
    result_.warmup.asked = true;  // by who gave the turns
    std::vector<double> times;
    for (const Sample& sample : result_.samples) times.push_back(static_cast<double>(sample.end_to_end.count()));
    result_.course = stats::examine_course(times);  // for the record: nothing is moved, as blocks are compared with those next to them
    return std::move(result_);
  }

 private:
  // Runs until the time is over, `most` at the most, and at least one.
  Result<std::vector<Sample>> runs(Duration length, std::size_t most) {
    std::vector<Sample> samples(most);
    const Disturbances::Watch watch(hooks_.disturbances);
    auto done = loop_.run(samples, iteration_, {timeline_.now() + length, nullptr});
    if (hooks_.watchdog != nullptr) hooks_.watchdog->pulse().enter(Step::Own);
    if (!done) return tl::unexpected(std::move(done).error());
    samples.resize(*done);
    iteration_ += *done;
    longest_ = std::ranges::max_element(samples, {}, &Sample::end_to_end)->end_to_end;
    return samples;
  }

  Result<Block> warm_up(Instant deadline) {
    Warmup& warmup = result_.warmup;
    Duration before = Duration::max();
    while (true) {
      LAPSE_TRY(const auto samples, runs(kWarmupBlock, kBlockRuns));
      warmup.discarded += samples.size();
      const std::size_t kept = std::min(samples.size(), kWarmupSamples - warmup.samples.size());
      warmup.samples.insert(warmup.samples.end(), samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(kept));
      const Duration median = median_of(samples, &Sample::end_to_end);
      const bool settled = !still_faster(static_cast<double>(median.count()), static_cast<double>(before.count()));
      if (settled || timeline_.now() >= deadline) return Block{warmup.discarded, median, {}};
      before = median;
    }
  }

  Result<Block> block(Duration length) {
    if (longest_ < length) LAPSE_CHECK(runs(Duration{0}, in_flight_));
    const Instant begin = timeline_.now();
    LAPSE_TRY(const auto samples, runs(length, kBlockRuns));
    result_.timed += timeline_.now() - begin;
    result_.samples.insert(result_.samples.end(), samples.begin(), samples.end());
    result_.blocks.push_back(samples.size());
    if (examiner_ != nullptr) LAPSE_CHECK(examiner_->look(samples.back()));
    return Block{samples.size(), median_of(samples, &Sample::end_to_end), {}};
  }

  device::Timeline& timeline_;
  Loop& loop_;
  const std::size_t in_flight_;
  const Hooks& hooks_;
  Examiner* examiner_;
  std::size_t iteration_ = 0;
  Duration longest_{};  // of the runs that were made last; 0 before the first
  Measurement result_;
};

}  // namespace

bool RoundOrder::a_first() {
  if (second_) return *std::exchange(second_, std::nullopt);
  const bool first = (coin_() & 1) != 0;
  second_ = !first;
  return first;
}

Result<Measurement> take_turns(Subject& subject, const Plan& plan, const Hooks& hooks, Examiner* examiner) {
  LAPSE_TRY(const auto loop, make_loop(subject, plan));
  return TurnTaker{subject, *loop, plan, hooks, examiner}();
}

}  // namespace lapse::measuring
