#pragma once
// Jobs in one SQLite file. The front is the only process that opens it (a backup reads it from another); DataFolder sees to that.
//
// Writing: one thread, group commit (commit_queue.hpp), the rules in ledger.hpp. Reading: connections of their own, one for each reader at
// the same time, so that nobody who looks waits for a disk that writes.
//
// Durability: write-ahead log with synchronous = FULL, so a function returns when its commit is fsynced. Heartbeats, `delivered` and the
// claiming of notices alone are content with NORMAL, where a power cut may take the last of them away. They publish no event, and
// hand out no fence: what is lost with them is a lease's end (whose worker went with the power), a time mark, and the memory of a delivery
// that will be made once more under the same number. Claims are FULL although their fences would stay unique (the log is lost from its
// end only, and with a claim every worker that knew its fence), because they publish an event: a client that has seen number N must never
// meet another event under that number.

#include <lapse/jobs/commit_queue.hpp>
#include <lapse/jobs/job_store.hpp>
#include <lapse/jobs/ledger.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace lapse::jobs {

class SqliteJobStore final : public JobStore {
 public:
  /// Makes or migrates the database. Error: Unavailable.
  static Result<std::unique_ptr<SqliteJobStore>> open(const std::string& file, const Limits& limits, Clock clock = system_now);

  Result<Submitted> submit(const JobSpec& spec) override;
  Result<std::vector<Claimed>> claim(const ClaimRequest& request) override;
  Result<std::vector<Pulse>> heartbeat(std::span<const Lease> leases, Duration lease) override;
  Result<bool> progress(Lease lease, Progress progress) override;
  Result<bool> complete(const Completion& completion) override;
  Result<bool> fail(Lease lease, const Error& error, bool retryable) override;
  Result<bool> release(Lease lease) override;
  Result<bool> confirm_cancelled(Lease lease, const std::string& stopped) override;
  Result<Job> cancel(const std::string& owner, const std::string& id) override;
  Result<Removed> remove(const std::string& owner, const std::string& id) override;
  Result<Job> retry(const std::string& owner, const std::string& id) override;
  Result<void> delivered(const std::string& owner, std::span<const std::string> ids) override;

  Result<Job> get(const std::string& owner, const std::string& id) override;
  Result<std::uint64_t> position(std::uint64_t job) override;
  Result<Page> list(const std::string& owner, const Filter& filter, std::size_t limit, std::optional<std::uint64_t> before) override;
  Result<Events> events_since(const std::string& owner, std::uint64_t sequence, std::size_t limit) override;
  void on_change(std::function<void(const Changes&)> listener) override;
  Result<std::vector<QueueDepth>> depths() override;
  Result<bool> referenced(const BlobId& blob) override;

  Result<Swept> sweep(std::size_t limit) override;
  Result<std::size_t> recover() override;
  Result<std::vector<Notice>> due_notices(std::size_t count, Duration lease) override;
  Result<void> notice_delivered(std::uint64_t notice) override;
  Result<void> notice_failed(std::uint64_t notice, const std::string& reason, std::optional<Time> next) override;

  Result<void> backup(const std::string& file) override;
  Result<void> healthy() override;

 private:
  SqliteJobStore(std::string file, const Limits& limits, Clock clock, std::unique_ptr<sqlite::Connection> writer);
  template <class F>
  auto change(F f, Durability durability = Durability::Synced) -> std::invoke_result_t<F, Ledger&>;
  template <class F>
  auto look(F f) -> std::invoke_result_t<F, sqlite::Connection&>;
  void tell(bool committed);
  void note_damage(const sqlite::Connection& connection, const Error& error);

  const std::string file_;
  const Limits limits_;
  const Clock clock_;
  Changes changes_;  // of the commit under way; the writing thread's alone
  std::function<void(const Changes&)> listener_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<sqlite::Connection>> readers_;  // those that nobody uses just now
  std::mutex damage_mutex_;
  std::optional<Error> damage_;  // met anywhere, once: most of a damaged file may go on working, and must not be trusted with more
  CommitQueue queue_;            // last: its thread uses the rest
};

}  // namespace lapse::jobs
