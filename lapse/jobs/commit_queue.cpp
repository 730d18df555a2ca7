#include <algorithm>
#include <lapse/jobs/commit_queue.hpp>

namespace lapse::jobs {
namespace {

constexpr std::size_t kLargestGroup = 256;  // so that nobody waits for more than some milliseconds of others' work
constexpr int kLargestLog = 1000;           // pages (4 MiB): bringing them in takes some milliseconds, and a restart as long

}  // namespace

CommitQueue::CommitQueue(std::unique_ptr<sqlite::Connection> connection)
    : connection_(std::move(connection)), writer_([this] { write(); }) {}

CommitQueue::~CommitQueue() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  filled_.notify_one();
  writer_.join();
}

Result<void> CommitQueue::run(Change change, Durability durability) {
  Waiter waiter{std::move(change), durability, {}, false, {}};
  std::unique_lock lock{mutex_};
  queue_.push_back(&waiter);
  filled_.notify_one();
  waiter.woken.wait(lock, [&] { return waiter.done; });
  return std::move(waiter.outcome);
}

void CommitQueue::write() {
  std::unique_lock lock{mutex_};
  while (true) {
    filled_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kLargestGroup));
    const std::vector<Waiter*> group(queue_.begin(), end);
    queue_.erase(queue_.begin(), end);
    lock.unlock();
    const auto committed = commit(group);
    lock.lock();
    for (Waiter* waiter : group) {
      if (!committed) waiter->outcome = committed;
      waiter->done = true;
      waiter->woken.notify_one();  // under the lock: the waiter is gone once it has it
    }
    lock.unlock();
    if (after_commit_) after_commit_(committed.has_value());
    checkpoint();
    lock.lock();
  }
}

Result<void> CommitQueue::commit(const std::vector<Waiter*>& group) {
  if (broken_) return tl::unexpected(*broken_);
  auto committed = transact(group);
  if (committed) return committed;
  note_failure(committed.error());
  if (connection_->in_transaction()) static_cast<void>(connection_->script("ROLLBACK"));
  return committed;
}

void CommitQueue::checkpoint() {
  if (broken_ || connection_->log_pages() < kLargestLog) return;
  // One that readers or a full disk keep from ending goes on after the next commit.
  const auto done = connection_->run("PRAGMA wal_checkpoint(PASSIVE)");
  if (!done) note_failure(done.error());
}

void CommitQueue::note_failure(const Error& error) {
  if (!connection_->sync_failed()) return;
  broken_ = error;
  broken_->hint = "the disk refused to make data durable: see to the disk, then restart the server";
}

Result<void> CommitQueue::transact(const std::vector<Waiter*>& group) {
  const bool sync = std::ranges::any_of(group, [](const Waiter* waiter) { return waiter->durability == Durability::Synced; });
  if (sync != synced_) {
    LAPSE_CHECK(connection_->script(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
    synced_ = sync;
  }
  LAPSE_CHECK(connection_->run("BEGIN IMMEDIATE"));
  for (Waiter* waiter : group) LAPSE_CHECK(apply(*waiter));
  return connection_->run("COMMIT").map([](std::uint64_t) {});
}

Result<void> CommitQueue::apply(Waiter& waiter) {
  LAPSE_CHECK(connection_->run("SAVEPOINT change"));
  if (!waiter.change(*connection_)) LAPSE_CHECK(connection_->run("ROLLBACK TO change"));
  // A full disk can have ended the whole transaction: then this fails, and with it the group.
  return connection_->run("RELEASE change").map([](std::uint64_t) {});
}

}  // namespace lapse::jobs
