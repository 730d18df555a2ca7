// What owners ask for, and the messages that they get.

#include <fmt/format.h>

#include <lapse/jobs/ledger.hpp>
#include <lapse/jobs/lookup.hpp>

namespace lapse::jobs {

Result<Job> Ledger::cancel(const std::string& owner, const std::string& id) {
  LAPSE_TRY(auto record, find_job(connection_, owner, id, now_));
  Job& job = record.job;
  if (job.state == State::Queued) {
    job.stopped = "before it started";
    LAPSE_CHECK(finish(record, State::Cancelled));
  } else if (job.state == State::Running && !job.cancel_requested) {
    job.cancel_requested = true;
    LAPSE_CHECK(connection_.run("UPDATE jobs SET cancel_requested = 1 WHERE number = ?1", job.number));
  }
  return std::move(job);
}

Result<Removed> Ledger::remove(const std::string& owner, const std::string& id) {
  LAPSE_TRY(const auto record, find_job(connection_, owner, id, now_));
  if (!final(record.job.state)) {
    return lapse::fail(ErrorCode::Conflict, fmt::format("job {} is {}", id, name(record.job.state)), "cancel it first");
  }
  LAPSE_TRY(auto removed, forget(record));
  LAPSE_CHECK(publish(record, "deleted"));
  return removed;
}

Result<Job> Ledger::retry(const std::string& owner, const std::string& id) {
  LAPSE_TRY(auto record, find_job(connection_, owner, id, now_));
  Job& job = record.job;
  if (!final(job.state) || job.state == State::Done) {
    return lapse::fail(ErrorCode::Conflict, fmt::format("job {} is {}", id, name(job.state)),
                       "only a failed, cancelled or expired job can be tried again");
  }
  LAPSE_CHECK(check_room(job.spec.input.blob.size));
  job.attempt = 0;
  job.max_attempts = limits_.max_attempts;
  job.spec.deadline.reset();
  job.stopped.clear();
  job.error.reset();
  job.finished.reset();
  job.expires.reset();
  LAPSE_TRY(record.rank, take_turn(record));
  LAPSE_CHECK(enqueue(record));
  return std::move(job);
}

Result<void> Ledger::delivered(const std::string& owner, std::span<const std::string> ids) {
  for (const std::string& id : ids) {
    LAPSE_TRY(auto record, find_record(connection_, owner, id));
    if (!record || !final(record->job.state) || record->job.trace.delivered) continue;
    record->job.trace.delivered = now_;
    LAPSE_CHECK(connection_.run("UPDATE jobs SET delivered = ?1 WHERE number = ?2", now_, record->job.number));
    changes_.delivered.push_back(std::move(record->job));
  }
  return {};
}

Result<std::vector<Notice>> Ledger::due_notices(std::size_t count, Duration lease) {
  std::vector<Notice> notices;
  {
    LAPSE_TRY(auto query, connection_.query("SELECT number, owner, job, url, body, attempt FROM notices WHERE due <= ?1 "
                                            "ORDER BY due, number LIMIT ?2",
                                            now_, count));
    while (true) {
      LAPSE_TRY(const bool found, query.next());
      if (!found) break;
      notices.push_back({query.integer<std::uint64_t>(), query.text(), query.text(), query.text(), query.text(), query.integer<int>()});
    }
  }
  // A delivery counts when it begins: a crash in the middle is a try too, and the reason that is missing tells of it.
  for (const Notice& notice : notices) {
    LAPSE_CHECK(
        connection_.run("UPDATE notices SET due = ?1, attempt = attempt + 1, reason = '' WHERE number = ?2", now_ + lease, notice.number));
  }
  return notices;
}

Result<void> Ledger::notice_delivered(std::uint64_t notice) {
  std::string owner, job;
  {
    LAPSE_TRY(auto query, connection_.query("DELETE FROM notices WHERE number = ?1 RETURNING owner, job", notice));
    LAPSE_TRY(const bool found, query.next());
    if (!found) return {};
    owner = query.text();
    job = query.text();
  }
  return delivered(owner, {&job, 1});
}

Result<void> Ledger::notice_failed(std::uint64_t notice, const std::string& reason, std::optional<Time> next) {
  if (!next) return connection_.run("DELETE FROM notices WHERE number = ?1", notice).map([](std::uint64_t) {});
  return connection_.run("UPDATE notices SET due = ?1, reason = ?2 WHERE number = ?3", *next, reason, notice).map([](std::uint64_t) {});
}

}  // namespace lapse::jobs
