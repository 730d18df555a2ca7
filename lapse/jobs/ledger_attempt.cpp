// What a worker says of an attempt, and how a queueing ends.

#include <lapse/jobs/document.hpp>
#include <lapse/jobs/ledger.hpp>

namespace lapse::jobs {

Result<void> Ledger::enqueue(Record& record) {
  Job& job = record.job;
  const Time accepted = job.trace.accepted;
  job.trace = {};
  job.trace.accepted = accepted;
  job.trace.queued = now_;
  job.state = State::Queued;
  job.progress = {};
  LAPSE_CHECK(update_record(connection_, record));
  LAPSE_CHECK(publish(record, name(State::Queued)));
  changes_.models.push_back(job.spec.model);
  return {};
}

Result<void> Ledger::finish(Record& record, State state) {
  Job& job = record.job;
  job.state = state;
  job.cancel_requested = false;
  job.finished = job.trace.stored = now_;
  job.expires = now_ + limits_.retention;
  LAPSE_CHECK(update_record(connection_, record));
  LAPSE_CHECK(publish(record, name(state)));
  changes_.ended.push_back(job);
  if (job.spec.webhook.empty()) return {};
  LAPSE_CHECK(connection_.run("INSERT INTO notices (owner, job, url, body, attempt, due, reason) VALUES (?1, ?2, ?3, ?4, 0, ?5, '')",
                              job.spec.owner, job.spec.id, job.spec.webhook, describe_notice(job, name(state)), now_));
  changes_.notices = true;
  return {};
}

Result<void> Ledger::try_again(Record& record, Error error, const std::string& stopped) {
  Job& job = record.job;
  if (job.cancel_requested) {
    job.stopped = stopped;
    return finish(record, State::Cancelled);
  }
  job.error = std::move(error);
  if (job.attempt >= job.max_attempts) return finish(record, State::Failed);
  LAPSE_CHECK(enqueue(record));
  changes_.ended.push_back(job);
  return {};
}

Result<std::vector<Pulse>> Ledger::heartbeat(std::span<const Lease> leases, Duration lease) {
  std::vector<Pulse> pulses;
  for (const Lease& one : leases) {
    LAPSE_TRY(const auto cancelled,
              connection_.number("UPDATE jobs SET lease_until = ?1 WHERE number = ?2 AND state = 1 AND fence = ?3 AND lease_until > ?4 "
                                 "RETURNING cancel_requested",
                                 now_ + lease, one.job, one.fence, now_));
    pulses.push_back(!cancelled ? Pulse::Lost : *cancelled != 0 ? Pulse::Cancelled : Pulse::Held);
  }
  return pulses;
}

Result<bool> Ledger::progress(Lease lease, Progress progress) {
  LAPSE_TRY(auto record, find_record(connection_, lease, now_));
  if (!record) return false;
  record->job.progress = progress;
  LAPSE_CHECK(connection_.run("UPDATE jobs SET progress_done = ?1, progress_total = ?2 WHERE number = ?3", progress.done, progress.total,
                              lease.job));
  LAPSE_CHECK(publish(*record, "progress"));
  return true;
}

Result<bool> Ledger::complete(const JobStore::Completion& completion) {
  LAPSE_TRY(auto record, find_record(connection_, completion.lease, now_));
  if (!record) return false;
  Job& job = record->job;
  job.trace.batched = completion.trace.batched;
  job.trace.started = completion.trace.started;
  job.trace.h2d = completion.trace.h2d;
  job.trace.forward = completion.trace.forward;
  job.trace.d2h = completion.trace.d2h;
  job.trace.preprocess = completion.trace.preprocess;
  job.trace.postprocess = completion.trace.postprocess;
  job.trace.batch_size = completion.trace.batch_size;
  if (job.cancel_requested) {
    job.stopped = "nothing: the work was done already, and its result was thrown away";
    LAPSE_CHECK(finish(*record, State::Cancelled));
    return true;
  }
  job.error.reset();
  job.result = completion.result;
  job.notes = completion.notes;
  LAPSE_CHECK(use_blob(completion.result.blob.id, job.number));
  LAPSE_CHECK(finish(*record, State::Done));
  return true;
}

Result<bool> Ledger::fail(Lease lease, const Error& error, bool retryable) {
  LAPSE_TRY(auto record, find_record(connection_, lease, now_));
  if (!record) return false;
  if (retryable || record->job.cancel_requested) {
    LAPSE_CHECK(try_again(*record, error, "nothing: the attempt had just failed"));
  } else {
    record->job.error = error;
    LAPSE_CHECK(finish(*record, State::Failed));
  }
  return true;
}

Result<bool> Ledger::release(Lease lease) {
  LAPSE_TRY(auto record, find_record(connection_, lease, now_));
  if (!record) return false;
  --record->job.attempt;
  if (record->job.cancel_requested) {
    record->job.stopped = "the attempt: its worker was told to stop";
    LAPSE_CHECK(finish(*record, State::Cancelled));
  } else if (record->job.spec.deadline && *record->job.spec.deadline <= now_) {
    LAPSE_CHECK(finish(*record, State::Expired));
  } else {
    LAPSE_CHECK(enqueue(*record));
  }
  return true;
}

Result<bool> Ledger::confirm_cancelled(Lease lease, const std::string& stopped) {
  LAPSE_TRY(auto record, find_record(connection_, lease, now_));
  if (!record) return false;
  record->job.stopped = stopped;
  LAPSE_CHECK(finish(*record, State::Cancelled));
  return true;
}

}  // namespace lapse::jobs
