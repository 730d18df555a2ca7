#include <algorithm>
#include <array>
#include <lapse/device/host_timeline.hpp>
#include <lapse/host/affinity.hpp>
#include <lapse/host/memory.hpp>
#include <lapse/measure/machine.hpp>
#include <lapse/measure/median.hpp>
#include <lapse/measure/reference_work.hpp>
#include <thread>

namespace lapse::measuring {
namespace {

// Shares of the time. What is left over goes for making the tables.
constexpr double kClockShare = 0.02;
constexpr double kFloorShare = 0.34;   // for each of the two
constexpr double kEffectShare = 0.09;  // for each of the two: they are large where they matter
constexpr Duration kTimeOfAPair = std::chrono::milliseconds{500};
constexpr int kSpins = 3;             // the fastest of so many: an interrupt is not the clock's frequency
constexpr std::uint64_t kTables = 4;  // so many have to fit into memory for two to be made

Duration part(double share, Duration whole) { return Duration{static_cast<Duration::rep>(share * static_cast<double>(whole.count()))}; }

/// Keeps a CPU busy when it is told to, and sleeps otherwise.
class Neighbour {
 public:
  explicit Neighbour(int cpu) : thread_([this, cpu] { live(cpu); }) {}
  ~Neighbour() {
    tell(State::Over);
    thread_.join();
  }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

  void work() { tell(State::Busy); }
  void rest() { tell(State::Rests); }

 private:
  enum class State { Rests, Busy, Over };

  void tell(State state) {
    if (state_.exchange(state) != state) state_.notify_one();
  }
  void live(int cpu) {
    (void)host::pin({cpu});
    const auto arithmetic = make_arithmetic();
    for (State state; (state = state_.load()) != State::Over;) {
      if (state == State::Rests) state_.wait(State::Rests);
      if (state == State::Busy) (void)arithmetic->submit(0, 0);
    }
  }

  std::atomic<State> state_{State::Rests};
  std::thread thread_;
};

/// Work with a neighbour that works, too, or with one that rests.
class Accompanied final : public Subject {
 public:
  Accompanied(Neighbour& neighbour, bool busy) : neighbour_(neighbour), busy_(busy) {}
  Result<void> submit(std::size_t slot, std::size_t iteration) override {
    busy_ ? neighbour_.work() : neighbour_.rest();
    return work_->submit(slot, iteration);
  }
  bool asynchronous() const noexcept override { return false; }
  std::size_t slots() const noexcept override { return 1; }
  device::Timeline& timeline() noexcept override { return work_->timeline(); }

 private:
  Neighbour& neighbour_;
  bool busy_;
  std::unique_ptr<Subject> work_ = make_arithmetic();
};

class Machine {
 public:
  Machine(Duration time, const ExaminationHooks& hooks) : time_(time), hooks_(hooks) {}

  Result<Examination> operator()() {
    begin_ = clock_.now();
    found_.machine = host::fingerprint();
    found_.allowed = host::allowed_cpus();
    found_.before = host::condition();
    const host::Activity before = host::activity();
    found_.load_1min = before.load_1min;
    LAPSE_CHECK(enter("clock"));
    found_.clock = examine_clock(clock_, part(kClockShare, time_));
    LAPSE_CHECK(enter("arithmetic"));
    const MakeSubject arithmetic = []() -> Result<std::unique_ptr<Subject>> { return make_arithmetic(); };
    LAPSE_TRY(found_.arithmetic, measure_pairs(arithmetic, arithmetic, plan(kFloorShare), round_hooks()));
    LAPSE_CHECK(read_memory());
    LAPSE_CHECK(seek_company());
    LAPSE_CHECK(enter("end"));
    found_.disturbance = host::between(before, host::activity());
    found_.after = host::condition();
    found_.spent = clock_.now() - begin_;
    return std::move(found_);
  }

 private:
  Result<void> enter(std::string_view phase) {
    phase_ = phase;
    tell();
    if (hooks_.stop != nullptr && *hooks_.stop) return fail(ErrorCode::Interrupted, "stopped before the machine was examined");
    return {};
  }
  void tell() const {
    if (hooks_.progress) hooks_.progress(phase_, clock_.now() - begin_);
  }
  // Making a pair takes time besides: where there is little, there are few of them.
  NoisePlan plan(double share) const {
    const Duration budget = part(share, time_);
    const auto pairs = static_cast<std::size_t>(budget / kTimeOfAPair);
    return {.budget = budget, .pairs = std::clamp(pairs, kFewestPairs, NoisePlan{}.pairs)};
  }
  NoiseHooks round_hooks() {
    const auto after_round = [this] {
      Duration fastest = Duration::max();
      for (int i = 0; i < kSpins; ++i) fastest = std::min(fastest, time_spin(clock_));
      found_.spins.push_back(fastest);
      tell();
    };
    return {after_round, hooks_.stop};
  }

  Result<void> read_memory() {
    const auto available = host::available();
    if (available && *available < kTables * table_bytes()) return {};
    const auto gather = [](HugePages pages) -> MakeSubject { return [pages] { return make_gather(pages); }; };
    LAPSE_CHECK(enter("memory"));
    LAPSE_TRY(found_.memory, measure_pairs(gather(HugePages::AsItIs), gather(HugePages::AsItIs), plan(kFloorShare), round_hooks()));
    if (found_.before.huge_pages.empty() || found_.before.huge_pages == "never") return {};
    LAPSE_CHECK(enter("huge_pages"));
    LAPSE_TRY(found_.huge_pages, measure_pairs(gather(HugePages::No), gather(HugePages::Yes), plan(kEffectShare), round_hooks()));
    return {};
  }

  // In a thread of its own, which is pinned; this one may go on running anywhere.
  Result<void> seek_company() {
    if (found_.allowed.size() < 2) return {};
    LAPSE_CHECK(enter("company"));
    Company company{.cpu = found_.allowed.front(), .neighbour = neighbour_of(found_.allowed.front()), .pairs = {}};
    Result<void> outcome;
    std::thread([&] { outcome = keep_company(company); }).join();
    LAPSE_CHECK(std::move(outcome));
    found_.company = std::move(company);
    return {};
  }
  Result<void> keep_company(Company& company) {
    LAPSE_CHECK(host::pin({company.cpu}));
    Neighbour neighbour(company.neighbour);
    const auto with = [&neighbour](bool busy) -> MakeSubject {
      return [&neighbour, busy]() -> Result<std::unique_ptr<Subject>> { return std::make_unique<Accompanied>(neighbour, busy); };
    };
    // No spins in between: the neighbour's work may slow them down.
    LAPSE_TRY(company.pairs, measure_pairs(with(false), with(true), plan(kEffectShare), {{}, hooks_.stop}));
    return {};
  }
  /// One that shares its core, where there is one; another one otherwise.
  int neighbour_of(int cpu) const {
    if (const auto siblings = found_.before.siblings.find(cpu); siblings != found_.before.siblings.end()) {
      for (const int sibling : siblings->second) {
        if (std::ranges::binary_search(found_.allowed, sibling)) return sibling;
      }
    }
    return found_.allowed[1];
  }

  mutable device::HostTimeline clock_;
  Duration time_;
  const ExaminationHooks& hooks_;
  device::Instant begin_{};
  std::string_view phase_;
  Examination found_;
};

}  // namespace

Result<Examination> examine_machine(Duration time, const ExaminationHooks& hooks) { return Machine(time, hooks)(); }

double speed_spread(std::vector<Duration> spins) {
  if (spins.size() < 2) return 0.0;
  std::ranges::sort(spins);
  std::vector<double> sorted;
  for (const Duration spin : spins) sorted.push_back(static_cast<double>(spin.count()));
  return (stats::quantile(sorted, 0.95) - stats::quantile(sorted, 0.05)) / stats::quantile(sorted, 0.5);
}

Result<DeviceState> examine_device(device::Timeline& timeline) {
  constexpr int kPieces = 4;  // of the longest work: clocks rise within tens of milliseconds
  device::Controls* const controls = timeline.controls();
  if (controls == nullptr) return fail(ErrorCode::BadUse, "the CPU is no device beside itself");
  DeviceState state{.info = controls->info(), .busy = {}};
  LAPSE_TRY(state.memory_used, controls->memory_used());
  device::ClockMonitor* const clocks = controls->clocks();
  if (clocks == nullptr) return state;
  state.max_mhz = clocks->max_mhz();
  for (int piece = 0; piece < kPieces; ++piece) LAPSE_CHECK(controls->spin(device::kLongestSpin));
  std::this_thread::sleep_for(device::kLongestSpin * (kPieces - 1));
  LAPSE_TRY(state.busy, clocks->read());
  LAPSE_CHECK(timeline.synchronize());
  return state;
}

}  // namespace lapse::measuring
