#pragma once
// Group commit: one thread that writes, and everybody's changes in one transaction. What comes while one is being made durable waits for
// the next, so the number of fsyncs does not grow with the number of callers.
//
// Threads: any. run() blocks until the change is committed. One change that fails does not take the others with it.
// The log is brought into the file between two commits, when its callers have been woken, so it stays small and they don't wait for it.
// A commit that fails fails all its changes; the next one is tried as ever, unless an fsync failed: then nobody knows what the disk holds,
// and every change is refused until a restart.

#include <condition_variable>
#include <deque>
#include <functional>
#include <lapse/jobs/sqlite.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace lapse::jobs {

/// Later: the commit may be lost by a power cut (never by a crash of the process). For a change that nothing outside can have seen: when
/// it is gone, so is whoever knew of it.
enum class Durability : std::uint8_t { Synced, Later };

class CommitQueue {
 public:
  /// Runs within the transaction, on the writing thread; false: undo what it did.
  using Change = std::function<bool(sqlite::Connection&)>;

  explicit CommitQueue(std::unique_ptr<sqlite::Connection> connection);
  /// Commits what is queued, then ends.
  ~CommitQueue();

  Result<void> run(Change change, Durability durability);
  /// Called on the writing thread after every commit, or attempt at one, when its callers have been woken. Set once, before use.
  void after_commit(std::function<void(bool committed)> listener) { after_commit_ = std::move(listener); }

 private:
  struct Waiter {
    Change change;
    Durability durability;
    Result<void> outcome;
    bool done = false;
    std::condition_variable woken;
  };
  void write();
  Result<void> commit(const std::vector<Waiter*>& group);
  Result<void> transact(const std::vector<Waiter*>& group);
  Result<void> apply(Waiter& waiter);
  void checkpoint();
  void note_failure(const Error& error);

  std::unique_ptr<sqlite::Connection> connection_;
  std::function<void(bool committed)> after_commit_;
  std::optional<Error> broken_;
  bool synced_ = true;  // what PRAGMA synchronous stands at
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Waiter*> queue_;
  bool closed_ = false;
  std::thread writer_;
};

}  // namespace lapse::jobs
