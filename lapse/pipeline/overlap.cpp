#include <algorithm>
#include <chrono>
#include <lapse/pipeline/overlap.hpp>
#include <lapse/pipeline/slot.hpp>
#include <lapse/pipeline/stages.hpp>
#include <map>
#include <mutex>
#include <thread>

namespace lapse::pipeline {
namespace {

constexpr Duration kTold = std::chrono::milliseconds{100};

// What the outputs were when they were first seen, and how often they have been others since. Of one thread at a time.
class Answers {
 public:
  Answers(std::size_t batches, std::size_t items)
      : items_(items), first_(batches * items), now_(items), different_(batches * items), random_(batches * items) {}

  std::span<std::uint64_t> place() { return now_; }
  /// What lies in place() are the answers of `batch`.
  void note(std::size_t batch, bool asynchronous, bool reference) {
    for (std::size_t i = 0; i < items_; ++i) {
      const std::size_t item = batch * items_ + i;
      if (reference) {
        first_[item] = now_[i];
      } else if (first_[item] != now_[i]) {
        (asynchronous ? different_ : random_)[item] = true;
      }
    }
  }
  Agreement agreement() const {
    const auto count = [](const std::vector<bool>& flags) { return static_cast<std::size_t>(std::ranges::count(flags, true)); };
    return {static_cast<std::size_t>(std::ranges::count_if(first_, [](std::uint64_t digest) { return digest != 0; })), count(different_),
            count(random_)};
  }

 private:
  std::size_t items_;
  std::vector<std::uint64_t> first_, now_;  // 0: the item isn't there
  std::vector<bool> different_, random_;
};

class Run {
 public:
  Run(engine::Session& session, device::Timeline& timeline, std::span<const tensor::Tensor> inputs, const Prepare& prepare,
      const OverlapPlan& plan, const OverlapHooks& hooks)
      : session_(session),
        timeline_(timeline),
        inputs_(inputs),
        prepare_(prepare),
        plan_(plan),
        hooks_(hooks),
        answers_(plan.batches, plan.items) {}

  Result<Overlap> run() {
    LAPSE_CHECK(make_slots());
    Overlap result;
    result.steps = Slot::steps(session_);
    const device::Instant begin = timeline_.now();
    for (; round_ <= plan_.rounds; ++round_) {
      auto pair = both();
      if (!pair) {
        (void)timeline_.synchronize();  // the slots are to go
        if (result.synchronous.size() < 2) return tl::unexpected(std::move(pair).error());
        result.failure = std::move(pair).error();
        break;
      }
      result.synchronous.push_back(std::move(pair->first));
      result.asynchronous.push_back(std::move(pair->second));
      if (round_ > 0 && plan_.budget.count() > 0 && timeline_.now() - begin >= plan_.budget) break;
    }
    result.agreement = answers_.agreement();
    return result;
  }

 private:
  static tl::unexpected<Error> interrupted() { return fail(ErrorCode::Interrupted, "interrupted"); }
  bool stopped() const { return hooks_.stop != nullptr && *hooks_.stop; }
  std::size_t in_flight() const { return session_.asynchronous() ? plan_.in_flight : 1; }

  Result<void> make_slots() {
    const std::size_t most = plan_.workers + plan_.depth + in_flight() + plan_.depth + 1;
    for (std::size_t i = 0; i < std::min(most, plan_.batches); ++i) {
      LAPSE_TRY(auto slot, Slot::make(session_, timeline_, inputs_));
      slots_.push_back(std::move(slot));
    }
    LAPSE_TRY(origin_, timeline_.make_mark());
    LAPSE_TRY(trial_, timeline_.make_mark());
    return {};
  }

  // A slow drift of the machine favours neither way: which of them is first changes from round to round.
  Result<std::pair<Round, Round>> both() {
    std::pair<Round, Round> pair;
    const bool asynchronous_first = round_ % 2 == 1;
    if (asynchronous_first) {
      LAPSE_TRY(pair.second, asynchronous());
    }
    LAPSE_TRY(pair.first, synchronous());
    if (!asynchronous_first) {
      LAPSE_TRY(pair.second, asynchronous());
    }
    return pair;
  }

  Result<void> begin_round(Round& round) {
    round.batches.reserve(plan_.batches);
    LAPSE_CHECK(timeline_.synchronize());
    return find_origin();
  }

  // Where the device's order of work lies on the host's clock: a mark on the idle device passes between two readings. Of several the one
  // between the two that are nearest, as nobody came in between there, and in their middle: wrong by half of their distance at the most.
  Result<void> find_origin() {
    constexpr int kTries = 16;
    Duration nearest = Duration::max();
    for (int i = 0; i < kTries; ++i) {
      const device::Instant before = timeline_.now();
      LAPSE_CHECK(timeline_.record(trial_));
      LAPSE_CHECK(timeline_.wait(trial_));
      const Duration distance = timeline_.now() - before;
      if (distance >= nearest) continue;
      nearest = distance;
      origin_at_ = before + distance / 2;
      std::swap(origin_, trial_);
    }
    return {};
  }

  static void end_round(Round& round) {
    const auto begin = [](const BatchTimes& times) { return times.at(Step::Prepare).begin; };
    const auto end = [](const BatchTimes& times) { return times.at(Step::Consume).end; };
    round.begin = begin(*std::ranges::min_element(round.batches, {}, begin));
    round.duration = end(*std::ranges::max_element(round.batches, {}, end)) - round.begin;
    for (const BatchTimes& times : round.batches) round.items += times.items;
  }

  Result<Round> synchronous() {
    Round round;
    LAPSE_CHECK(begin_round(round));
    Slot& slot = *slots_.front();
    for (std::size_t batch = 0; batch < plan_.batches; ++batch) {
      if (stopped()) return interrupted();
      LAPSE_CHECK(slot.prepare(batch, plan_.items, 0, prepare_));
      LAPSE_CHECK(slot.hand_over());
      LAPSE_CHECK(slot.wait());
      LAPSE_CHECK(slot.done(origin_, origin_at_));
      LAPSE_CHECK(consume(slot, round, false));
    }
    end_round(round);
    return round;
  }

  Result<Round> asynchronous() {
    Round round;
    LAPSE_CHECK(begin_round(round));
    BoundedQueue<Slot*> free{slots_.size()};
    for (const auto& slot : slots_) (void)free.push(slot.get());
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::map<std::thread::id, std::uint32_t> workers;

    const auto source = [&]() -> Result<std::optional<Slot*>> {
      const std::size_t batch = next++;
      if (batch >= plan_.batches || stopped()) return std::nullopt;
      const auto slot = free.pop();
      if (!slot) return std::nullopt;
      const std::uint32_t worker = [&] {
        const std::lock_guard lock{mutex};
        return workers.try_emplace(std::this_thread::get_id(), static_cast<std::uint32_t>(workers.size())).first->second;
      }();
      LAPSE_CHECK((*slot)->prepare(batch, plan_.items, worker, prepare_));
      return *slot;
    };
    Stage<Slot*> forward{.work = [](Slot* slot) { return slot->hand_over(); }, .here = true};
    if (session_.asynchronous()) {
      forward.done = [this](Slot* slot) { return slot->done(origin_, origin_at_); };
      forward.in_flight = plan_.in_flight;
    }
    const Stage<Slot*> consuming{.work = [&](Slot* slot) -> Result<void> {
      LAPSE_CHECK(consume(*slot, round, true));
      (void)free.push(slot);  // there is room for every slot
      return {};
    }};
    const RunOptions options{.depth = plan_.depth, .source_threads = plan_.workers, .failed = [&](const Error&) { free.close(); }};
    LAPSE_CHECK(Stages<Slot*>::run(source, {forward, consuming}, options));
    if (round.batches.size() < plan_.batches) return interrupted();
    end_round(round);
    return round;
  }

  Result<void> consume(Slot& slot, Round& round, bool asynchronous) {
    LAPSE_CHECK(slot.consume(answers_.place()));
    answers_.note(slot.times().batch, asynchronous, round_ == 0 && !asynchronous);
    round.batches.push_back(slot.times());
    if (hooks_.progress && timeline_.now() - told_ >= kTold) {
      told_ = timeline_.now();
      hooks_.progress({round_, asynchronous, round.batches.size()});
    }
    return {};
  }

  engine::Session& session_;
  device::Timeline& timeline_;
  const std::span<const tensor::Tensor> inputs_;
  const Prepare& prepare_;
  const OverlapPlan plan_;
  const OverlapHooks& hooks_;
  std::vector<std::unique_ptr<Slot>> slots_;
  device::Mark origin_{}, trial_{};
  device::Instant origin_at_{}, told_{};
  std::size_t round_ = 0;
  Answers answers_;
};

}  // namespace

std::string_view name(Step step) noexcept {
  constexpr std::array<std::string_view, kSteps> kNames{"preprocess", "h2d", "forward", "d2h", "postprocess"};
  return kNames[static_cast<std::size_t>(step)];
}

Result<Overlap> overlap(engine::Session& session, device::Timeline& timeline, std::span<const tensor::Tensor> inputs,
                        const Prepare& prepare, const OverlapPlan& plan, const OverlapHooks& hooks) {
  return Run(session, timeline, inputs, prepare, plan, hooks).run();
}

}  // namespace lapse::pipeline
