#include <algorithm>
#include <lapse/device/controls.hpp>
#include <lapse/measure/idle.hpp>
#include <lapse/measure/loop.hpp>
#include <lapse/measure/median.hpp>
#include <lapse/measure/watchdog.hpp>
#include <limits>
#include <numeric>
#include <random>

namespace lapse::measuring {
namespace {

using device::Instant;

// Clocks are steered some tens of times a second: after this time the gap before is forgotten, as far as it ever is.
constexpr Duration kSettle = std::chrono::milliseconds{50};
// A block is long beside that, but short beside a drift; one of long gaps holds a few runs all the same.
constexpr Duration kBlockTime = std::chrono::milliseconds{100};
constexpr std::size_t kFewestRuns = 3;
constexpr std::size_t kMostRuns = 50;

class Curve {
 public:
  Curve(Subject& subject, Loop& loop, const Plan& plan, const Hooks& hooks, std::size_t first)
      : timeline_(subject.timeline()), loop_(loop), plan_(plan), hooks_(hooks), iteration_(first), begin_(timeline_.now()) {
    device::Controls* controls = timeline_.controls();
    if (plan.audit && controls != nullptr) monitor_ = controls->clocks();
    for (const Duration gap : plan.idle) result_.gaps.push_back({gap, {}, {}, {}, 0.0});
    slept_.resize(plan.idle.size());
    clocks_.resize(plan.idle.size());
  }

  IdleCurve operator()() {
    std::vector<std::size_t> order(result_.gaps.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937_64 random;  // any fixed seed: the order has to be unrelated to what happens, not secret
    Instant deadline = Instant::max();
    while (true) {
      std::ranges::shuffle(order, random);
      for (const std::size_t gap : order) {
        auto done = block(gap, deadline);
        if (!done) result_.failure = std::move(done).error();
        if (const auto over = ended(deadline)) return finish(*over);
        tell();
      }
      deadline = begin_ + plan_.budget;
      if (const auto over = ended(deadline)) return finish(*over);
    }
  }

 private:
  bool interrupted() const { return hooks_.stop != nullptr && hooks_.stop->load(std::memory_order_relaxed); }

  std::optional<Stop> ended(Instant deadline) const {
    if (result_.failure) return Stop::Failed;
    if (interrupted()) return Stop::Interrupted;
    const auto full = [this](const GapRuns& gap) { return gap.samples.size() >= plan_.max_runs; };
    if (std::ranges::all_of(result_.gaps, full)) return Stop::MaxRuns;
    if (over_ || timeline_.now() >= deadline) return Stop::Budget;
    return std::nullopt;
  }

  Result<void> block(std::size_t which, Instant deadline) {
    GapRuns& gap = result_.gaps[which];
    const auto full = [&] { return gap.samples.size() >= plan_.max_runs; };
    if (full()) return {};
    std::optional<Sample> sample;
    Instant begin = timeline_.now();
    std::size_t settling = 0;  // in virtual time there is work that takes none
    do {
      LAPSE_TRY(sample, run_after(gap.gap, deadline));
      if (!sample) return {};
    } while (timeline_.now() - begin < kSettle && ++settling < plan_.max_runs);
    begin = timeline_.now();
    for (std::size_t runs = 0; !full() && runs < kMostRuns && (runs < kFewestRuns || timeline_.now() - begin < kBlockTime); ++runs) {
      const Instant ready = sample->start + sample->end_to_end;
      LAPSE_TRY(sample, run_after(gap.gap, deadline));
      if (!sample) return {};
      gap.samples.push_back(*sample);
      if (runs == 0) gap.blocks.push_back(0);
      ++gap.blocks.back();
      slept_[which].push_back(sample->start - ready);
    }
    if (monitor_ != nullptr) {
      if (const auto reading = monitor_->read()) clocks_[which].push_back(reading->mhz);
    }
    return {};
  }

  // Nothing when it was interrupted, or the time was over, before the run.
  Result<std::optional<Sample>> run_after(Duration gap, Instant deadline) {
    const Instant until = timeline_.now() + gap;
    over_ = until >= deadline;
    if (over_) return std::nullopt;
    for (Instant now = timeline_.now(); now < until && !interrupted(); now = timeline_.now()) timeline_.sleep(until - now);
    if (interrupted()) return std::nullopt;
    Sample sample;
    const auto done = loop_.run({&sample, 1}, iteration_++, {Instant::max(), nullptr});
    if (hooks_.watchdog != nullptr) hooks_.watchdog->pulse().enter(Step::Own);
    if (!done) return tl::unexpected(done.error());
    return sample;
  }

  void tell() {
    if (!hooks_.progress) return;
    Progress progress;
    progress.warming_up = false;
    for (const GapRuns& gap : result_.gaps) progress.runs += gap.samples.size();
    progress.spent = timeline_.now() - begin_;
    hooks_.progress(progress);
  }

  IdleCurve finish(Stop stop) {
    result_.stop = stop;
    for (std::size_t i = 0; i < result_.gaps.size(); ++i) {
      if (!slept_[i].empty()) result_.gaps[i].slept = median_of(slept_[i]);
      std::ranges::sort(clocks_[i]);
      if (!clocks_[i].empty()) result_.gaps[i].mhz = clocks_[i][clocks_[i].size() / 2];
    }
    return std::move(result_);
  }

  device::Timeline& timeline_;
  Loop& loop_;
  const Plan& plan_;
  const Hooks& hooks_;
  device::ClockMonitor* monitor_ = nullptr;
  std::size_t iteration_;
  const Instant begin_;
  bool over_ = false;  // there is no time for another run
  std::vector<std::vector<Duration>> slept_;
  std::vector<std::vector<double>> clocks_;
  IdleCurve result_;
};

}  // namespace

IdleCurve measure_idle(Subject& subject, const Plan& plan, const Hooks& hooks, std::size_t first) {
  auto loop = make_loop(subject, plan);
  if (!loop) return {{}, Stop::Failed, std::move(loop).error()};
  return Curve{subject, **loop, plan, hooks, first}();
}

}  // namespace lapse::measuring
