#include <algorithm>
#include <filesystem>
#include <lapse/jobs/backup.hpp>
#include <lapse/jobs/disk.hpp>
#include <lapse/jobs/lookup.hpp>
#include <lapse/jobs/schema.hpp>
#include <lapse/jobs/sqlite_job_store.hpp>
#include <utility>

namespace lapse::jobs {
namespace {

template <class T>
void append(std::vector<T>& into, const std::vector<T>& from) {
  into.insert(into.end(), from.begin(), from.end());
}

void unite(std::vector<std::string>& into, const std::vector<std::string>& from) {
  append(into, from);
  std::ranges::sort(into);
  const auto [first, last] = std::ranges::unique(into);
  into.erase(first, last);
}

}  // namespace

Result<std::unique_ptr<SqliteJobStore>> SqliteJobStore::open(const std::string& file, const Limits& limits, Clock clock) {
  LAPSE_TRY(auto writer, sqlite::Connection::open(file, sqlite::Connection::Mode::Write));
  LAPSE_CHECK(writer->script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  LAPSE_CHECK(prepare_schema(*writer));
  // What a server before this left in the log comes into the file, and is fsynced: the log may hold what never reached the disk.
  LAPSE_CHECK(writer->script("PRAGMA wal_checkpoint(TRUNCATE)"));
  const auto folder = std::filesystem::path(file).parent_path().string();
  LAPSE_CHECK(sync_path(folder.empty() ? "." : folder));
  return std::unique_ptr<SqliteJobStore>(new SqliteJobStore(file, limits, std::move(clock), std::move(writer)));
}

SqliteJobStore::SqliteJobStore(std::string file, const Limits& limits, Clock clock, std::unique_ptr<sqlite::Connection> writer)
    : file_(std::move(file)), limits_(limits), clock_(std::move(clock)), queue_(std::move(writer)) {
  queue_.after_commit([this](bool committed) { tell(committed); });
}

template <class F>
auto SqliteJobStore::change(F f, Durability durability) -> std::invoke_result_t<F, Ledger&> {
  std::optional<std::invoke_result_t<F, Ledger&>> result;
  const auto committed = queue_.run(
      [&](sqlite::Connection& connection) {
        Ledger ledger{connection, limits_, clock_()};
        result = f(ledger);
        if (!result->has_value()) {
          note_damage(connection, result->error());
          return false;
        }
        unite(changes_.owners, ledger.changes().owners);
        append(changes_.models, ledger.changes().models);
        changes_.notices = changes_.notices || ledger.changes().notices;
        append(changes_.ended, ledger.changes().ended);
        append(changes_.delivered, ledger.changes().delivered);
        return true;
      },
      durability);
  if (!committed) return tl::unexpected(committed.error());
  return std::move(*result);
}

template <class F>
auto SqliteJobStore::look(F f) -> std::invoke_result_t<F, sqlite::Connection&> {
  std::unique_ptr<sqlite::Connection> reader;
  {
    const std::lock_guard lock{readers_mutex_};
    if (!readers_.empty()) {
      reader = std::move(readers_.back());
      readers_.pop_back();
    }
  }
  if (!reader) {
    LAPSE_TRY(reader, sqlite::Connection::open(file_, sqlite::Connection::Mode::Read));
  }
  auto result = f(*reader);
  if (!result) note_damage(*reader, result.error());
  const std::lock_guard lock{readers_mutex_};
  readers_.push_back(std::move(reader));
  return result;
}

void SqliteJobStore::tell(bool committed) {
  const Changes changes = std::exchange(changes_, {});
  const bool any = !changes.owners.empty() || !changes.models.empty() || changes.notices || !changes.delivered.empty();
  if (committed && any && listener_) listener_(changes);
}

void SqliteJobStore::note_damage(const sqlite::Connection& connection, const Error& error) {
  if (!connection.found_damage()) return;
  const std::lock_guard lock{damage_mutex_};
  if (!damage_) damage_ = error;
}

void SqliteJobStore::on_change(std::function<void(const Changes&)> listener) { listener_ = std::move(listener); }

Result<Submitted> SqliteJobStore::submit(const JobSpec& spec) {
  return change([&](Ledger& ledger) { return ledger.submit(spec); });
}

Result<std::vector<Claimed>> SqliteJobStore::claim(const ClaimRequest& request) {
  return change([&](Ledger& ledger) { return ledger.claim(request); });
}

Result<std::vector<Pulse>> SqliteJobStore::heartbeat(std::span<const Lease> leases, Duration lease) {
  return change([&](Ledger& ledger) { return ledger.heartbeat(leases, lease); }, Durability::Later);
}

Result<bool> SqliteJobStore::progress(Lease lease, Progress progress) {
  return change([&](Ledger& ledger) { return ledger.progress(lease, progress); });
}

Result<bool> SqliteJobStore::complete(const Completion& completion) {
  return change([&](Ledger& ledger) { return ledger.complete(completion); });
}

Result<bool> SqliteJobStore::fail(Lease lease, const Error& error, bool retryable) {
  return change([&](Ledger& ledger) { return ledger.fail(lease, error, retryable); });
}

Result<bool> SqliteJobStore::release(Lease lease) {
  return change([&](Ledger& ledger) { return ledger.release(lease); });
}

Result<bool> SqliteJobStore::confirm_cancelled(Lease lease, const std::string& stopped) {
  return change([&](Ledger& ledger) { return ledger.confirm_cancelled(lease, stopped); });
}

Result<Job> SqliteJobStore::cancel(const std::string& owner, const std::string& id) {
  return change([&](Ledger& ledger) { return ledger.cancel(owner, id); });
}

Result<Removed> SqliteJobStore::remove(const std::string& owner, const std::string& id) {
  return change([&](Ledger& ledger) { return ledger.remove(owner, id); });
}

Result<Job> SqliteJobStore::retry(const std::string& owner, const std::string& id) {
  return change([&](Ledger& ledger) { return ledger.retry(owner, id); });
}

Result<void> SqliteJobStore::delivered(const std::string& owner, std::span<const std::string> ids) {
  return change([&](Ledger& ledger) { return ledger.delivered(owner, ids); }, Durability::Later);
}

Result<Swept> SqliteJobStore::sweep(std::size_t limit) {
  return change([&](Ledger& ledger) { return ledger.sweep(limit); });
}

Result<std::size_t> SqliteJobStore::recover() {
  return change([](Ledger& ledger) { return ledger.recover(); });
}

Result<std::vector<Notice>> SqliteJobStore::due_notices(std::size_t count, Duration lease) {
  return change([&](Ledger& ledger) { return ledger.due_notices(count, lease); }, Durability::Later);
}

Result<void> SqliteJobStore::notice_delivered(std::uint64_t notice) {
  return change([&](Ledger& ledger) { return ledger.notice_delivered(notice); });
}

Result<void> SqliteJobStore::notice_failed(std::uint64_t notice, const std::string& reason, std::optional<Time> next) {
  return change([&](Ledger& ledger) { return ledger.notice_failed(notice, reason, next); });
}

Result<void> SqliteJobStore::healthy() {
  {
    const std::lock_guard lock{damage_mutex_};
    if (damage_) return tl::unexpected(*damage_);
  }
  return change([](Ledger& ledger) { return ledger.probe(); });
}

Result<Job> SqliteJobStore::get(const std::string& owner, const std::string& id) {
  return look([&](sqlite::Connection& connection) -> Result<Job> {
    LAPSE_TRY(auto record, find_job(connection, owner, id, clock_()));
    return std::move(record.job);
  });
}

Result<std::uint64_t> SqliteJobStore::position(std::uint64_t job) {
  return look([&](sqlite::Connection& connection) { return count_before(connection, job); });
}

Result<Page> SqliteJobStore::list(const std::string& owner, const Filter& filter, std::size_t limit, std::optional<std::uint64_t> before) {
  return look([&](sqlite::Connection& connection) { return list_jobs(connection, owner, filter, limit, before); });
}

Result<JobStore::Events> SqliteJobStore::events_since(const std::string& owner, std::uint64_t sequence, std::size_t limit) {
  return look([&](sqlite::Connection& connection) { return read_events(connection, owner, sequence, limit); });
}

Result<std::vector<QueueDepth>> SqliteJobStore::depths() {
  return look([](sqlite::Connection& connection) { return read_depths(connection); });
}

Result<bool> SqliteJobStore::referenced(const BlobId& blob) {
  return look([&](sqlite::Connection& connection) -> Result<bool> {
    LAPSE_TRY(const auto found, connection.number("SELECT 1 FROM blob_uses WHERE blob = ?1 LIMIT 1", blob.hex));
    return found.has_value();
  });
}

Result<void> SqliteJobStore::backup(const std::string& file) { return backup_database(file_, file); }

}  // namespace lapse::jobs
