#include "cli/compare_live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <lapse/report/comparison.hpp>
#include <lapse/report/processes.hpp>
#include <lapse/report/quantity.hpp>
#include <optional>
#include <random>
#include <vector>

#include "cli/child_process.hpp"
#include "cli/console.hpp"
#include "cli/turn_lines.hpp"
#include "cli/words.hpp"

namespace lapse::cli {
namespace {

// On a busy machine a process that has rested runs undisturbed for some time, before the scheduler remembers the others: blocks of 100 ms
// scatter twenty times as much there as these.
constexpr Duration kBlock = std::chrono::milliseconds{50};
constexpr std::size_t kFewestRounds = 2;    // so that each side begins one
constexpr std::size_t kMostRuns = 200'000;  // of a process: more make files large and its median no better
constexpr Duration::rep kWarmupShare = 5;   // of the time of a process
constexpr double kRestless = 0.1;           // of its turns, after which a process did not rest, from which on it is said
constexpr std::array<const char*, 2> kNames{"A", "B"};
using Words = std::vector<std::string>;

/// One process of a pair.
class Side {
 public:
  static Result<Side> start(const char* name, const Words& words, const std::atomic<bool>& stop) {
    Words arguments{"time", "--child=turns"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    LAPSE_TRY(Child child, Child::start(arguments, {"LAPSE_ERRORS=json"}));
    Side side{name, std::move(child)};
    const auto line = side.child_.hear([&stop] { return !stop; });
    if (!line && stop) return fail(ErrorCode::Interrupted, "interrupted while a side was loading");
    if (!line || *line != kReady) return tl::unexpected(side.failure());
    return side;
  }

  /// Its turn: from when it is told until it is at rest again.
  Result<measuring::Block> take(const measuring::Turn& turn) {
    child_.say(line_of(turn));
    const auto line = child_.hear([] { return true; });
    const auto done = line ? read_done(*line) : std::nullopt;
    if (!done) return tl::unexpected(failure());
    ++turns_;
    if (!done->rested) ++restless_;
    return done->block;
  }

  Result<report::Report> finish() {
    child_.say(kEnd);
    const auto line = child_.hear([] { return true; });
    if (!line || *line != kReport) return tl::unexpected(failure());
    const ChildEnd end = child_.wait([] { return true; });
    if (!end.well()) return tl::unexpected(named(failure_of(end)));
    auto report = report::from_json(end.output);
    const double share = static_cast<double>(restless_) / static_cast<double>(turns_);
    if (report && share > kRestless) report->warnings.push_back({"restless_side", {{"percent", report::percent(share)}}});
    if (report) return report;
    return fail(ErrorCode::Internal, fmt::format("side {} left no report: {}", name_, report.error().message));
  }

 private:
  Side(const char* name, Child child) : name_(name), child_(std::move(child)) {}

  // After it has closed its stdout, or said what it should not.
  Error failure() {
    const ChildEnd end = child_.wait([] { return true; });
    return named(end.well() ? Error{ErrorCode::Internal, "left no measurement"} : failure_of(end));
  }

  Error named(Error error) const {
    error.message = fmt::format("side {}: {}", name_, error.message);
    return error;
  }

  const char* name_;
  Child child_;
  std::size_t turns_ = 0, restless_ = 0;
};

class LiveComparison {
 public:
  LiveComparison(const LiveRequest& request, std::array<Words, 2> words, const Context& context)
      : request_(request),
        words_(std::move(words)),
        korean_(context.language == report::Language::Korean),
        progress_(context.language),
        share_(request.budget / static_cast<Duration::rep>(request.pairs)) {}

  Result<LiveSides> operator()() {
    while (reports_[0].size() < request_.pairs && !stop_) {
      auto measured = measure_pair();
      if (!measured && measured.error().code == ErrorCode::Interrupted) break;
      LAPSE_CHECK(measured);
      // More of them would be refused just as well; what there is can still be saved.
      if (reports_[0].size() == 1 && !request_.force && !report::comparable({"", reports_[0][0], reports_[1][0], {0.0}})) break;
    }
    progress_.clear();
    if (reports_[0].empty()) return fail(ErrorCode::Interrupted, "interrupted before the first pair of processes was complete");
    LiveSides live;
    live.interrupted = reports_[0].size() < request_.pairs;
    for (std::size_t side = 0; side < 2; ++side) {
      report::Report& report = live.sides[side] = report::join(std::move(reports_[side]));
      report.plan.stop = "budget";
      report.plan.budget_ns = static_cast<double>(request_.budget.count());
      report.plan.precision = request_.precision;
    }
    return live;
  }

 private:
  Result<void> measure_pair() {
    show(0);
    const bool a_first = first_.a_first();
    LAPSE_TRY(Side first, start(a_first ? 0 : 1));
    LAPSE_TRY(Side second, start(a_first ? 1 : 0));
    Side& a = a_first ? first : second;
    Side& b = a_first ? second : first;
    Duration spent{0};
    for (Side* side : {&first, &second}) {
      LAPSE_TRY(const measuring::Block warmup, side->take({true, share_ / 2 / kWarmupShare}));
      spent += warmup.took;
    }
    LAPSE_TRY(const bool complete, take_turns(a, b, spent));
    if (!complete) return fail(ErrorCode::Interrupted, "interrupted");
    LAPSE_TRY(report::Report of_a, a.finish());
    LAPSE_TRY(report::Report of_b, b.finish());
    reports_[0].push_back(std::move(of_a));
    reports_[1].push_back(std::move(of_b));
    return {};
  }

  Result<Side> start(std::size_t side) { return Side::start(kNames[side], words_[side], stop_); }

  /// Of the pair's share of the budget the warm-up has taken `spent`. False when it was interrupted too early.
  Result<bool> take_turns(Side& a, Side& b, Duration spent) {
    std::size_t rounds = 0, runs = 0;
    while (!stop_ && (rounds < kFewestRounds || (spent < share_ && runs < 2 * kMostRuns))) {
      show(++rounds);
      const bool a_first = order_.a_first();
      for (Side* side : {a_first ? &a : &b, a_first ? &b : &a}) {
        LAPSE_TRY(const measuring::Block block, side->take({false, kBlock}));
        spent += block.took;
        runs += block.runs;
      }
    }
    return rounds >= kFewestRounds;
  }

  void show(std::size_t round) {
    std::string line = fmt::format("{} {} / {}", korean_ ? "프로세스 쌍" : "pair of processes", reports_[0].size() + 1, request_.pairs);
    line += round == 0 ? (korean_ ? " · 불러오는 중…" : " · loading…") : fmt::format(" · {} {}", korean_ ? "라운드" : "round", round);
    progress_.show(line);
  }

  const LiveRequest& request_;
  const std::array<Words, 2> words_;
  const bool korean_;
  const std::atomic<bool>& stop_ = stop_on_signal();
  ProgressLine progress_;
  const Duration share_;  // of the budget, for a pair
  // Another order each time: what one order has for or against a side must not come back in every comparison.
  measuring::RoundOrder first_{std::random_device{}()};  // of a pair, to be loaded and warmed up
  measuring::RoundOrder order_{std::random_device{}()};  // of its rounds
  std::array<std::vector<report::Report>, 2> reports_;
};

}  // namespace

Result<LiveSides> measure_live(const LiveRequest& request, const Context& context) {
  std::array<Words, 2> words;
  for (std::size_t side = 0; side < 2; ++side) {
    auto split = split_words(request.sides[side]);
    const auto asks = [](const std::string& word) { return word == "--help" || word == "-h" || word == "--version"; };
    if (split && std::ranges::any_of(*split, asks)) {
      return fail(ErrorCode::BadUse, fmt::format("side {}: --help and --version measure nothing", kNames[side]), "lapse time --help");
    }
    if (!split) return fail(ErrorCode::BadUse, fmt::format("side {}: {}", kNames[side], split.error().message), split.error().hint);
    words[side] = std::move(*split);
  }
  return LiveComparison{request, std::move(words), context}();
}

}  // namespace lapse::cli
