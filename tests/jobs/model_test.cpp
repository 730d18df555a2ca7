// Random operations on a store and on the simplest thing that could be one: both have to say the same, operation by operation.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/jobs/sqlite_job_store.hpp>
#include <map>
#include <random>
#include <tuple>

#include "jobs/stores.hpp"

namespace lapse::jobs {
namespace {

using namespace std::chrono_literals;

constexpr int kSeeds = 12, kSteps = 250;

/// Every rule of job_store.hpp, in memory and one at a time.
class Model {
 public:
  struct Entry {
    std::uint64_t number = 0;
    std::string owner, id;
    int priority = 0;
    State state = State::Queued;
    int attempt = 0;
    bool cancel = false;
    std::optional<Time> deadline;
    Time lease_until{}, expires{};
    std::int64_t rank = 0;
    std::uint64_t fence = 0;
    int ends = 0, queueings = 1;
  };
  using Key = std::pair<std::string, std::string>;

  Model(const Limits& limits, const FakeClock& clock) : limits_(limits), clock_(clock) {}

  std::map<Key, Entry> jobs;
  std::map<Key, Time> tombstones;
  std::map<std::string, std::vector<std::string>> events;  // by owner

  Entry* find(const Key& key) {
    const auto found = jobs.find(key);
    return found == jobs.end() ? nullptr : &found->second;
  }
  ErrorCode missing(const Key& key) const {
    const auto found = tombstones.find(key);
    return found != tombstones.end() && found->second > clock_.now() ? ErrorCode::Gone : ErrorCode::NotFound;
  }
  std::size_t queued() const {
    return static_cast<std::size_t>(std::ranges::count_if(jobs, [](const auto& one) { return one.second.state == State::Queued; }));
  }
  void tell(const Entry& entry, std::string_view type) { events[entry.owner].push_back(fmt::format("{} {}", entry.id, type)); }

  void take_turn(Entry& entry) {
    const auto last = turns_.find({entry.owner, entry.priority});
    const std::int64_t next = last == turns_.end() ? 0 : last->second + 1;
    entry.rank = turns_[{entry.owner, entry.priority}] = std::max(virtual_[entry.priority], next);
  }
  void submit(const Key& key, std::uint64_t number, int priority, std::optional<Time> deadline) {
    Entry& entry = jobs[key];
    entry.number = number;
    std::tie(entry.owner, entry.id) = key;
    entry.priority = priority;
    entry.deadline = deadline;
    take_turn(entry);
    tell(entry, "queued");
  }
  void enqueue(Entry& entry) {
    entry.state = State::Queued;
    tell(entry, "queued");
  }
  void finish(Entry& entry, State state) {
    entry.state = state;
    entry.cancel = false;
    entry.expires = clock_.now() + limits_.retention;
    ++entry.ends;
    tell(entry, name(state));
  }
  void try_again(Entry& entry) {
    if (entry.cancel) return finish(entry, State::Cancelled);
    if (entry.attempt < limits_.max_attempts) return enqueue(entry);
    finish(entry, State::Failed);
  }
  void release(Entry& entry) {
    if (entry.cancel) return finish(entry, State::Cancelled);
    if (entry.deadline && *entry.deadline <= clock_.now()) return finish(entry, State::Expired);
    enqueue(entry);
  }
  /// In the order in which they are claimed.
  std::vector<Entry*> queue() {
    std::vector<Entry*> waiting;
    for (auto& [key, entry] : jobs) {
      if (entry.state == State::Queued) waiting.push_back(&entry);
    }
    std::ranges::sort(waiting, {}, [](const Entry* one) { return std::tuple(-one->priority, one->rank, one->number); });
    return waiting;
  }
  std::vector<Entry*> claim(std::size_t count, Duration lease) {
    std::vector<Entry*> claimed;
    for (Entry* one : queue()) {
      if (claimed.size() == count) break;
      if (one->deadline && *one->deadline <= clock_.now()) {
        finish(*one, State::Expired);
        continue;
      }
      virtual_[one->priority] = std::max(virtual_[one->priority], one->rank);
      one->state = State::Running;
      ++one->attempt;
      one->lease_until = clock_.now() + lease;
      one->fence = ++fence_;
      tell(*one, "running");
      claimed.push_back(one);
    }
    return claimed;
  }
  Entry* held(Lease lease) {
    for (auto& [key, entry] : jobs) {
      if (entry.number == lease.job && entry.fence == lease.fence && entry.state == State::Running && entry.lease_until > clock_.now()) {
        return &entry;
      }
    }
    return nullptr;
  }
  void forget(const Key& key) {
    tombstones[key] = clock_.now() + limits_.tombstone;
    jobs.erase(key);
  }
  void retry(Entry& entry) {
    entry.attempt = 0;
    entry.deadline.reset();
    ++entry.queueings;
    take_turn(entry);
    enqueue(entry);
  }
  void sweep() {
    std::vector<Entry*> late, lapsed;
    for (auto& [key, entry] : jobs) {
      if (entry.state == State::Queued && entry.deadline && *entry.deadline <= clock_.now()) late.push_back(&entry);
      if (entry.state == State::Running && entry.lease_until <= clock_.now()) lapsed.push_back(&entry);
    }
    std::ranges::stable_sort(late, {}, [](const Entry* one) { return std::tuple(*one->deadline, one->number); });
    std::ranges::stable_sort(lapsed, {}, [](const Entry* one) { return std::tuple(one->lease_until, one->number); });
    for (Entry* one : late) finish(*one, State::Expired);
    for (Entry* one : lapsed) try_again(*one);
    std::vector<Key> old;
    for (const auto& [key, entry] : jobs) {
      if (final(entry.state) && entry.expires <= clock_.now()) old.push_back(key);
    }
    for (const Key& key : old) forget(key);
    std::erase_if(tombstones, [&](const auto& one) { return one.second <= clock_.now(); });
  }
  void recover() {
    std::vector<Entry*> running;
    for (auto& [key, entry] : jobs) {
      if (entry.state == State::Running) running.push_back(&entry);
    }
    std::ranges::sort(running, {}, [](const Entry* one) { return one->number; });
    for (Entry* one : running) try_again(*one);
  }

 private:
  const Limits& limits_;
  const FakeClock& clock_;
  std::map<int, std::int64_t> virtual_;
  std::map<std::pair<std::string, int>, std::int64_t> turns_;
  std::uint64_t fence_ = 0;
};

class Comparison {
 public:
  explicit Comparison(unsigned seed) : random_(seed) {
    limits_.max_attempts = 3;
    limits_.max_queued_jobs = 12;
    limits_.retention = 10min;
    limits_.tombstone = 10min;
    open();
  }

  void step() {
    clock_.forward(std::chrono::milliseconds{1 + random_() % 3000});
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        return submit();
      case 4:
      case 5:
      case 6:
        return claim();
      case 7:
      case 8:
      case 9:
        return end_attempt();
      case 10:
        return heartbeat();
      case 11:
        return cancel();
      case 12:
        return remove();
      case 13:
        return retry();
      case 14:
        clock_.forward(std::chrono::seconds{random_() % 60});
        ASSERT_TRUE(store_->sweep(1000));
        return model_.sweep();
      default:
        if (random_() % 4 != 0) return;
        open();  // a restart
        ASSERT_TRUE(store_->recover());
        return model_.recover();
    }
  }

  /// Everything that can be asked.
  void compare() {
    for (const char* owner : {"ann", "bob", "cat"}) {
      for (int i = 0; i < 8; ++i) {
        const Model::Key key{owner, std::to_string(i)};
        const Model::Entry* expected = model_.find(key);
        const auto job = store_->get(key.first, key.second);
        if (expected == nullptr) {
          ASSERT_FALSE(job);
          ASSERT_EQ(job.error().code, model_.missing(key));
          continue;
        }
        ASSERT_TRUE(job) << job.error().message;
        ASSERT_EQ(name(job->state), name(expected->state));
        ASSERT_EQ(job->attempt, expected->attempt);
        ASSERT_EQ(job->cancel_requested, expected->cancel);
        ASSERT_EQ(expected->ends, expected->queueings - (final(expected->state) ? 0 : 1)) << "each queueing ends once";
      }
      compare_events(owner);
    }
    const auto queue = model_.queue();
    for (std::size_t i = 0; i < queue.size(); ++i) ASSERT_EQ(store_->position(queue[i]->number).value(), i);
    const auto depths = store_->depths().value();
    ASSERT_EQ(depths.empty() ? 0u : depths[0].queued, queue.size());
    ASSERT_EQ(depths.empty() ? 0u : depths[0].bytes, queue.size() * 100);
  }

 private:
  void open() {
    store_.reset();
    store_ = SqliteJobStore::open(folder_ / "jobs.sqlite", limits_, clock_.clock()).value();
  }
  Model::Key any() {
    const std::array owners{"ann", "bob", "cat"};
    return {owners.at(random_() % 3), std::to_string(random_() % 8)};
  }
  Lease any_lease() { return leases_.empty() ? Lease{1, 1} : leases_[random_() % leases_.size()]; }

  void compare_events(const std::string& owner) {
    // Events end with their retention, which this doesn't model: what is there has to be the tail of what there was.
    const auto found = store_->events_since(owner, 0, 100'000).value();
    const auto& expected = model_.events[owner];
    ASSERT_EQ(found.newest, expected.size());
    ASSERT_EQ(found.events.size(), found.newest + 1 - found.oldest);
    for (std::size_t i = 0; i < found.events.size(); ++i) {
      ASSERT_EQ(found.events[i].sequence, found.oldest + i);
      ASSERT_EQ(found.events[i].job + " " + found.events[i].type, expected[found.oldest + i - 1]);
    }
  }

  void submit() {
    const Model::Key key = any();
    JobSpec spec = spec_of(key.first, key.second, static_cast<int>(random_() % 3) - 1);
    spec.digest = random_() % 10 == 0 ? "another" : "usual";
    if (random_() % 4 == 0) spec.deadline = clock_.now() + std::chrono::seconds{random_() % 20};
    const auto submitted = store_->submit(spec);
    if (const Model::Entry* there = model_.find(key)) {
      if (digests_[key] != spec.digest) {
        ASSERT_EQ(submitted.error().code, ErrorCode::Conflict);
      } else {
        ASSERT_TRUE(submitted);
        ASSERT_FALSE(submitted->created);
        ASSERT_EQ(submitted->job.number, there->number);
      }
    } else if (model_.missing(key) == ErrorCode::Gone) {
      ASSERT_EQ(submitted.error().code, ErrorCode::Gone);
    } else if (model_.queued() >= limits_.max_queued_jobs) {
      ASSERT_EQ(submitted.error().code, ErrorCode::Busy);
    } else {
      ASSERT_TRUE(submitted) << submitted.error().message;
      ASSERT_TRUE(submitted->created);
      digests_[key] = spec.digest;
      model_.tombstones.erase(key);
      model_.submit(key, submitted->job.number, spec.priority, spec.deadline);
    }
  }

  void claim() {
    const std::size_t count = 1 + random_() % 3;
    const auto claimed = store_->claim({"worker", "model", {}, true, count, 30s}).value();
    const auto expected = model_.claim(count, 30s);
    ASSERT_EQ(claimed.size(), expected.size());
    for (std::size_t i = 0; i < claimed.size(); ++i) {
      ASSERT_EQ(claimed[i].job.number, expected[i]->number);
      ASSERT_EQ(claimed[i].lease.fence, expected[i]->fence);
      leases_.push_back(claimed[i].lease);
    }
  }

  void end_attempt() {
    const Lease lease = any_lease();
    Model::Entry* entry = model_.held(lease);
    const Error error{ErrorCode::Internal, "it failed", ""};
    bool kept = false;
    switch (random_() % 6) {
      case 0:
      case 1:
        kept = store_->complete(completion_of(lease)).value();
        if (entry != nullptr) model_.finish(*entry, entry->cancel ? State::Cancelled : State::Done);
        break;
      case 2:
        kept = store_->fail(lease, error, true).value();
        if (entry != nullptr) model_.try_again(*entry);
        break;
      case 3:
        kept = store_->fail(lease, error, false).value();
        if (entry != nullptr) model_.finish(*entry, entry->cancel ? State::Cancelled : State::Failed);
        break;
      case 4:
        kept = store_->release(lease).value();
        if (entry != nullptr) {
          --entry->attempt;
          model_.release(*entry);
        }
        break;
      default:
        kept = store_->confirm_cancelled(lease, "stopped").value();
        if (entry != nullptr) model_.finish(*entry, State::Cancelled);
    }
    ASSERT_EQ(kept, entry != nullptr);
  }

  void heartbeat() {
    const Lease lease = any_lease();
    Model::Entry* entry = model_.held(lease);
    const Pulse pulse = store_->heartbeat(std::span(&lease, 1), 45s)->at(0);
    ASSERT_EQ(pulse, entry == nullptr ? Pulse::Lost : entry->cancel ? Pulse::Cancelled : Pulse::Held);
    if (entry == nullptr) return;
    entry->lease_until = clock_.now() + 45s;
    ASSERT_TRUE(store_->progress(lease, {1, 2}).value());
    model_.tell(*entry, "progress");
  }

  void cancel() {
    const Model::Key key = any();
    Model::Entry* entry = model_.find(key);
    const auto cancelled = store_->cancel(key.first, key.second);
    if (entry == nullptr) {
      ASSERT_EQ(cancelled.error().code, model_.missing(key));
    } else if (entry->state == State::Queued) {
      model_.finish(*entry, State::Cancelled);
    } else if (entry->state == State::Running) {
      entry->cancel = true;
    }
  }

  void remove() {
    const Model::Key key = any();
    const Model::Entry* entry = model_.find(key);
    const auto removed = store_->remove(key.first, key.second);
    if (entry == nullptr) {
      ASSERT_EQ(removed.error().code, model_.missing(key));
    } else if (!final(entry->state)) {
      ASSERT_EQ(removed.error().code, ErrorCode::Conflict);
    } else {
      ASSERT_TRUE(removed);
      model_.tell(*entry, "deleted");
      model_.forget(key);
    }
  }

  void retry() {
    const Model::Key key = any();
    Model::Entry* entry = model_.find(key);
    const auto again = store_->retry(key.first, key.second);
    if (entry == nullptr) {
      ASSERT_EQ(again.error().code, model_.missing(key));
    } else if (!final(entry->state) || entry->state == State::Done) {
      ASSERT_EQ(again.error().code, ErrorCode::Conflict);
    } else if (model_.queued() >= limits_.max_queued_jobs) {
      ASSERT_EQ(again.error().code, ErrorCode::Busy);
    } else {
      ASSERT_TRUE(again);
      model_.retry(*entry);
    }
  }

  std::mt19937 random_;
  Folder folder_;
  FakeClock clock_;
  Limits limits_;
  Model model_{limits_, clock_};
  std::map<Model::Key, std::string> digests_;
  std::vector<Lease> leases_;
  std::unique_ptr<JobStore> store_;
};

TEST(Model, WhateverHappensTheStoreSaysWhatTheRulesSay) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    Comparison comparison{seed};
    for (int step = 0; step < kSteps; ++step) {
      SCOPED_TRACE(fmt::format("seed {}, step {}", seed, step));
      comparison.step();
      if (!testing::Test::HasFatalFailure()) comparison.compare();
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace lapse::jobs
