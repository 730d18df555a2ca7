// Into the queue, and onto a worker.

#include <fmt/format.h>

#include <algorithm>
#include <lapse/jobs/document.hpp>
#include <lapse/jobs/ledger.hpp>
#include <lapse/jobs/lookup.hpp>
#include <tuple>

namespace lapse::jobs {
namespace {

/// So many jobs past their deadline are cleared away in one claim; the sweep does the rest, and a claim is never a long transaction.
constexpr std::size_t kExpiredPerClaim = 1000;

}  // namespace

Result<void> Ledger::check_room(std::uint64_t bytes) {
  LAPSE_TRY(auto query, connection_.query("SELECT coalesce(sum(queued), 0), coalesce(sum(bytes), 0) FROM depths"));
  LAPSE_CHECK(query.next());
  const auto queued = query.integer<std::uint64_t>(), queued_bytes = query.integer<std::uint64_t>();
  if (bytes > limits_.max_queued_bytes) {
    return lapse::fail(ErrorCode::TooLarge, fmt::format("{} bytes are more than the whole queue takes", bytes));
  }
  if (queued >= limits_.max_queued_jobs) {
    return lapse::fail(ErrorCode::Busy, fmt::format("the queue is full: {} jobs wait", queued), "come again later");
  }
  if (queued_bytes > limits_.max_queued_bytes - bytes) {
    return lapse::fail(ErrorCode::Busy, fmt::format("the queue is full: {} bytes wait", queued_bytes), "come again later");
  }
  return {};
}

Result<std::int64_t> Ledger::take_turn(const Record& record) {
  LAPSE_TRY(const auto rank,
            connection_.number("INSERT INTO turns VALUES (?1, ?2, ?3, coalesce((SELECT virtual_time FROM queues WHERE model = ?2 AND "
                               "urgency = ?3), 0)) ON CONFLICT DO UPDATE SET rank = max(rank + 1, excluded.rank) RETURNING rank",
                               record.job.spec.owner, record.job.spec.model, record.urgency()));
  return rank.value_or(0);
}

Result<void> Ledger::use_blob(const BlobId& blob, std::uint64_t job) {
  return connection_.run("INSERT OR IGNORE INTO blob_uses VALUES (?1, ?2)", blob.hex, job).map([](std::uint64_t) {});
}

Result<void> Ledger::publish(const Record& record, std::string_view type) {
  const std::string& owner = record.job.spec.owner;
  // One who was forgotten goes on behind all who were: a client that knows his old numbers must not take new events for those.
  LAPSE_TRY(
      const auto sequence,
      connection_.number("INSERT INTO owners VALUES (?1, 1 + coalesce((SELECT value FROM counters WHERE name = 'forgotten_events'), 0)) "
                         "ON CONFLICT DO UPDATE SET last_event = last_event + 1 RETURNING last_event",
                         owner));
  LAPSE_CHECK(connection_.run("INSERT INTO events (owner, sequence, time, type, job, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", owner,
                              sequence, now_, type, record.job.spec.id, describe_event(record.job, type, now_)));
  changes_.owners.push_back(owner);
  return {};
}

Result<Submitted> Ledger::submit(const JobSpec& spec) {
  LAPSE_CHECK(check(spec));
  auto known = find_job(connection_, spec.owner, spec.id, now_);
  if (known) {
    if (known->job.spec.digest == spec.digest) return Submitted{std::move(known->job), false};
    return lapse::fail(ErrorCode::Conflict, fmt::format("job {} was submitted with another request", spec.id), "choose another id");
  }
  if (known.error().code != ErrorCode::NotFound) return tl::unexpected(std::move(known).error());
  LAPSE_CHECK(check_room(spec.input.blob.size));

  Record record;
  record.job.spec = spec;
  record.job.max_attempts = limits_.max_attempts;
  record.job.trace.accepted = record.job.trace.queued = now_;
  LAPSE_TRY(record.rank, take_turn(record));
  LAPSE_CHECK(insert_record(connection_, record));
  LAPSE_CHECK(use_blob(spec.input.blob.id, record.job.number));
  // A tombstone whose time has passed, and that no sweep has met yet.
  LAPSE_CHECK(connection_.run("DELETE FROM tombstones WHERE owner = ?1 AND id = ?2", spec.owner, spec.id));
  LAPSE_CHECK(publish(record, "queued"));
  changes_.models.push_back(spec.model);
  return Submitted{std::move(record.job), true};
}

Result<std::vector<Record>> Ledger::candidates(const JobStore::ClaimRequest& request, std::size_t count, Time cutoff) {
  static const std::string kSql = "SELECT number, " + kJobColumns +
                                  " FROM jobs WHERE state = 0 AND model = ?1 AND version = ?2 AND (deadline IS NULL OR deadline > ?3) "
                                  "ORDER BY urgency, rank, number LIMIT ?4";
  std::vector<std::string> versions = request.versions;
  if (request.newest) versions.emplace_back();
  std::vector<Record> found;
  for (const std::string& version : versions) {
    LAPSE_TRY(auto query, connection_.query(kSql, request.model, version, cutoff, count));
    LAPSE_TRY(auto records, read_records(std::move(query)));
    std::ranges::move(records, std::back_inserter(found));
  }
  std::ranges::sort(found, {}, [](const Record& record) { return std::tuple(record.urgency(), record.rank, record.job.number); });
  if (found.size() > count) found.resize(count);
  return found;
}

Result<std::vector<Claimed>> Ledger::claim(const JobStore::ClaimRequest& request) {
  std::vector<Claimed> claimed;
  std::size_t expired = 0;
  while (claimed.size() < request.count) {
    const Time cutoff = expired < kExpiredPerClaim ? Time{Duration::min()} : now_;
    LAPSE_TRY(auto records, candidates(request, request.count - claimed.size(), cutoff));
    if (records.empty()) break;
    for (Record& record : records) {
      if (record.job.spec.deadline && *record.job.spec.deadline <= now_) {
        LAPSE_CHECK(finish(record, State::Expired));
        ++expired;
      } else {
        LAPSE_TRY(auto lease, lease_out(record, request));
        claimed.push_back(std::move(lease));
      }
    }
  }
  return claimed;
}

Result<Claimed> Ledger::lease_out(Record& record, const JobStore::ClaimRequest& request) {
  Job& job = record.job;
  LAPSE_TRY(const auto fence, connection_.number("UPDATE counters SET value = value + 1 WHERE name = 'fence' RETURNING value"));
  LAPSE_CHECK(
      connection_.run("INSERT INTO queues VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET virtual_time = max(virtual_time, "
                      "excluded.virtual_time)",
                      job.spec.model, record.urgency(), record.rank));
  job.state = State::Running;
  ++job.attempt;
  job.progress = {0, 1};  // one unit of work, unless the worker tells of more
  job.trace.claimed = now_;
  record.fence = static_cast<std::uint64_t>(fence.value_or(0));
  record.lease_until = now_ + request.lease;
  record.worker = request.worker;
  LAPSE_CHECK(update_record(connection_, record));
  LAPSE_CHECK(publish(record, "running"));
  return Claimed{job, Lease{job.number, record.fence}};
}

}  // namespace lapse::jobs
