#pragma once
// What can happen to jobs, each as a change within a transaction that somebody else begins and commits. The rules of job_store.hpp are
// here, and nothing of threads or durability.
//
// Errors are JobStore's. After one the transaction is to be rolled back to where the change began.

#include <lapse/jobs/job_store.hpp>
#include <lapse/jobs/records.hpp>
#include <lapse/jobs/sqlite.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::jobs {

class Ledger {
 public:
  Ledger(sqlite::Connection& connection, const Limits& limits, Time now) : connection_(connection), limits_(limits), now_(now) {}

  Result<Submitted> submit(const JobSpec& spec);
  Result<std::vector<Claimed>> claim(const JobStore::ClaimRequest& request);

  Result<std::vector<Pulse>> heartbeat(std::span<const Lease> leases, Duration lease);
  Result<bool> progress(Lease lease, Progress progress);
  Result<bool> complete(const JobStore::Completion& completion);
  Result<bool> fail(Lease lease, const Error& error, bool retryable);
  Result<bool> release(Lease lease);
  Result<bool> confirm_cancelled(Lease lease, const std::string& stopped);

  Result<Job> cancel(const std::string& owner, const std::string& id);
  Result<Removed> remove(const std::string& owner, const std::string& id);
  Result<Job> retry(const std::string& owner, const std::string& id);
  Result<void> delivered(const std::string& owner, std::span<const std::string> ids);

  Result<Swept> sweep(std::size_t limit);
  Result<std::size_t> recover();

  Result<std::vector<Notice>> due_notices(std::size_t count, Duration lease);
  Result<void> notice_delivered(std::uint64_t notice);
  Result<void> notice_failed(std::uint64_t notice, const std::string& reason, std::optional<Time> next);

  /// Writes something that nobody reads.
  Result<void> probe();

  /// What the listener is to hear once this is committed.
  const JobStore::Changes& changes() const noexcept { return changes_; }

 private:
  // What several of them share.
  Result<void> check_room(std::uint64_t bytes);
  Result<std::int64_t> take_turn(const Record& record);
  Result<void> use_blob(const BlobId& blob, std::uint64_t job);
  Result<void> publish(const Record& record, std::string_view type);
  Result<void> enqueue(Record& record);
  Result<void> finish(Record& record, State state);
  /// Queued again where an attempt is left, else failed with `error`; cancelled where that was asked for.
  Result<void> try_again(Record& record, Error error, const std::string& stopped);

  Result<std::vector<Record>> candidates(const JobStore::ClaimRequest& request, std::size_t count, Time cutoff);
  Result<Claimed> lease_out(Record& record, const JobStore::ClaimRequest& request);

  Result<Removed> forget(const Record& record);
  Result<std::size_t> sweep_deadlines(std::size_t limit);
  Result<std::size_t> sweep_leases(std::size_t limit);
  Result<void> sweep_finished(std::size_t limit, Swept& swept);
  Result<void> sweep_past(std::size_t limit, Swept& swept);
  Result<void> forget_owner(const std::string& owner);

  sqlite::Connection& connection_;
  const Limits& limits_;
  const Time now_;
  JobStore::Changes changes_;
};

}  // namespace lapse::jobs
