// What time brings, and a restart.

#include <fmt/format.h>

#include <algorithm>
#include <lapse/jobs/ledger.hpp>
#include <set>

namespace lapse::jobs {
namespace {

Error lost_worker(const Job& job, std::string_view how) {
  return {ErrorCode::Internal, fmt::format("attempt {} of {}: {}", job.attempt, job.max_attempts, how),
          "the server's log says what became of the worker"};
}

}  // namespace

Result<Swept> Ledger::sweep(std::size_t limit) {
  Swept swept;
  LAPSE_TRY(swept.deadlines, sweep_deadlines(limit));
  LAPSE_TRY(swept.lapsed, sweep_leases(limit));
  LAPSE_CHECK(sweep_finished(limit, swept));
  LAPSE_CHECK(sweep_past(limit, swept));
  swept.more = swept.more || std::max({swept.deadlines, swept.lapsed, swept.forgotten}) >= limit;
  return swept;
}

Result<std::size_t> Ledger::sweep_deadlines(std::size_t limit) {
  static const std::string kSql =
      "SELECT number, " + kJobColumns + " FROM jobs WHERE state = 0 AND deadline IS NOT NULL AND deadline <= ?1 ORDER BY deadline LIMIT ?2";
  LAPSE_TRY(auto query, connection_.query(kSql, now_, limit));
  LAPSE_TRY(auto records, read_records(std::move(query)));
  for (Record& record : records) LAPSE_CHECK(finish(record, State::Expired));
  return records.size();
}

Result<std::size_t> Ledger::sweep_leases(std::size_t limit) {
  static const std::string kSql =
      "SELECT number, " + kJobColumns + " FROM jobs WHERE state = 1 AND lease_until <= ?1 ORDER BY lease_until LIMIT ?2";
  LAPSE_TRY(auto query, connection_.query(kSql, now_, limit));
  LAPSE_TRY(auto records, read_records(std::move(query)));
  for (Record& record : records) {
    LAPSE_CHECK(try_again(record, lost_worker(record.job, "its worker died or stopped answering"), "the attempt: its worker was lost"));
  }
  return records.size();
}

Result<std::size_t> Ledger::recover() {
  // "+": in order, but found by the index of leases; else every job there is would be read.
  static const std::string kSql = "SELECT number, " + kJobColumns + " FROM jobs WHERE state = 1 ORDER BY +number";
  LAPSE_TRY(auto query, connection_.query(kSql));
  LAPSE_TRY(auto records, read_records(std::move(query)));
  for (Record& record : records) {
    LAPSE_CHECK(try_again(record, lost_worker(record.job, "the server was stopped meanwhile"), "the attempt: the server was stopped"));
  }
  LAPSE_CHECK(connection_.run("UPDATE notices SET due = ?1 WHERE attempt > 0 AND reason = ''", now_));
  return records.size();
}

Result<void> Ledger::probe() {
  // As much as a group of submissions writes: a few bytes more may fit where they don't. Random, as SQLite doesn't write what is there.
  return connection_.run("INSERT OR REPLACE INTO probe VALUES (0, randomblob(65536))").map([](std::uint64_t) {});
}

Result<Removed> Ledger::forget(const Record& record) {
  const Job& job = record.job;
  Removed removed;
  std::set<BlobId> blobs{job.spec.input.blob.id};
  if (job.result) blobs.insert(job.result->blob.id);
  for (const BlobId& blob : blobs) {
    LAPSE_CHECK(connection_.run("DELETE FROM blob_uses WHERE blob = ?1 AND job = ?2", blob.hex, job.number));
    LAPSE_TRY(const auto others, connection_.number("SELECT 1 FROM blob_uses WHERE blob = ?1 LIMIT 1", blob.hex));
    if (others) {
      ++removed.shared;
    } else {
      removed.released.push_back(blob);
    }
  }
  LAPSE_CHECK(connection_.run("DELETE FROM jobs WHERE number = ?1", job.number));
  LAPSE_CHECK(
      connection_.run("INSERT OR REPLACE INTO tombstones VALUES (?1, ?2, ?3)", job.spec.owner, job.spec.id, now_ + limits_.tombstone));
  return removed;
}

Result<void> Ledger::sweep_finished(std::size_t limit, Swept& swept) {
  static const std::string kSql =
      "SELECT number, " + kJobColumns + " FROM jobs WHERE state > 1 AND expires <= ?1 ORDER BY expires LIMIT ?2";
  LAPSE_TRY(auto query, connection_.query(kSql, now_, limit));
  LAPSE_TRY(const auto records, read_records(std::move(query)));
  for (const Record& record : records) {
    LAPSE_TRY(const auto removed, forget(record));
    swept.released.insert(swept.released.end(), removed.released.begin(), removed.released.end());
  }
  swept.forgotten = records.size();
  return {};
}

Result<void> Ledger::sweep_past(std::size_t limit, Swept& swept) {
  std::set<std::string> owners;
  const auto collect = [&](Result<sqlite::Query> query) -> Result<void> {
    if (!query) return tl::unexpected(std::move(query).error());
    for (std::size_t rows = 0;; ++rows) {
      LAPSE_TRY(const bool found, query->next());
      if (!found) return {};
      owners.insert(query->text());
      swept.more = swept.more || rows + 1 >= limit;
    }
  };
  LAPSE_CHECK(
      collect(connection_.query("DELETE FROM events WHERE number IN (SELECT number FROM events ORDER BY number LIMIT ?2) AND "
                                "time <= ?1 RETURNING owner",
                                now_ - limits_.retention, limit)));
  LAPSE_CHECK(
      collect(connection_.query("DELETE FROM tombstones WHERE (owner, id) IN (SELECT owner, id FROM tombstones WHERE until <= ?1 "
                                "ORDER BY until LIMIT ?2) RETURNING owner",
                                now_, limit)));
  for (const std::string& owner : owners) LAPSE_CHECK(forget_owner(owner));
  return {};
}

Result<void> Ledger::forget_owner(const std::string& owner) {
  LAPSE_TRY(const auto left, connection_.number("SELECT EXISTS (SELECT 1 FROM jobs WHERE owner = ?1) OR EXISTS (SELECT 1 FROM tombstones "
                                                "WHERE owner = ?1) OR EXISTS (SELECT 1 FROM events WHERE owner = ?1)",
                                                owner));
  if (left.value_or(1) != 0) return {};
  LAPSE_CHECK(
      connection_.run("INSERT INTO counters SELECT 'forgotten_events', last_event FROM owners WHERE owner = ?1 "
                      "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
                      owner));
  LAPSE_CHECK(connection_.run("DELETE FROM owners WHERE owner = ?1", owner));
  return connection_.run("DELETE FROM turns WHERE owner = ?1", owner).map([](std::uint64_t) {});
}

}  // namespace lapse::jobs
