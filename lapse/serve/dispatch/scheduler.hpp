#pragma once
// When the next dispatch of a model goes to a worker, and what is in it: pure logic, time is a parameter.
//
// Synchronous requests wait here; of queued jobs only their number is known, as the store holds them. A full batch goes as soon as a worker
// has a place free. One that is not full goes when a worker is idle and its oldest member has waited max_delay: so a lone request never
// waits longer than max_delay for company, with max_delay 0 never at all, and while a worker is busy its next batch grows instead of being
// cut short and sent to wait there. Synchronous requests go first, by priority, then in turn among owners; but of every four dispatches one
// takes jobs first, so neither starves the other.
//
// Threads: one.

#include <chrono>
#include <cstdint>
#include <lapse/base/time.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lapse::serve {

class Scheduler {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Rules {
    std::size_t max_batch = 1;  // rows; a job counts as one
    Duration max_delay{};
    std::size_t max_waiting = 1000;
    std::uint64_t max_bytes = UINT64_MAX;  // of the requests in one dispatch, unless one alone has more
  };

  struct Direct {
    std::uint64_t id = 0;
    int priority = 0;
    std::string owner;
    Time arrived{};
    std::optional<Time> expires;  // not started after it
    std::size_t rows = 1;
    std::uint64_t bytes = 0;
  };

  explicit Scheduler(const Rules& rules) : rules_(rules) {}
  void rules(const Rules& rules) { rules_ = rules; }

  /// False: too many wait.
  [[nodiscard]] bool add(Direct request);
  /// False: it is not waiting any more.
  bool remove(std::uint64_t id);
  /// Those whose time has passed; they are out.
  std::vector<std::uint64_t> expire(Time now);
  std::size_t waiting() const noexcept { return direct_.size(); }

  /// What is known of the store's queue: at least so many jobs are there.
  void jobs(std::size_t at_least, Time now);
  /// So many more were queued.
  void jobs_came(std::size_t count, Time now);
  /// A claim found fewer than it asked for: what is there now is what came since it was decided.
  void jobs_ran_out(Time now) { jobs(came_, now); }
  std::size_t jobs() const noexcept { return jobs_; }

  struct Decision {
    std::vector<std::uint64_t> direct;  // to be dispatched now; they are out
    std::size_t jobs = 0;               // to be claimed now, at most; more than are known of may be there
    std::optional<Time> wake;           // nothing to do before this; nothing: until something happens
    bool go() const noexcept { return !direct.empty() || jobs > 0; }
  };
  /// To be asked when a worker has a place free; `idle`: it has nothing else in hand. `most`: rows of one dispatch, ≥ 1; more than
  /// max_batch where passes are so short that several should go at a time.
  Decision decide(Time now, std::size_t most, bool idle);
  /// The same where the next one has to run alone, as it may be poisonous: one item, and no waiting for company.
  Decision decide_alone(Time now);

 private:
  Decision fill(Time now, std::size_t most);
  std::vector<std::uint64_t> take(std::size_t& room);
  bool full() const;

  Rules rules_;
  std::vector<Direct> direct_;                  // in the order of arrival
  std::map<std::string, std::uint64_t> turns_;  // owner → number of the request that he was served last
  std::size_t jobs_ = 0;
  std::size_t came_ = 0;  // of these, since the last decision
  Time jobs_since_{};
  std::uint64_t dispatches_ = 0, served_ = 0;
};

}  // namespace lapse::serve
