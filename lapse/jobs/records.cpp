#include <fmt/format.h>

#include <lapse/jobs/records.hpp>
#include <nlohmann/json.hpp>

namespace lapse::jobs {

const std::string kJobColumns =
    "owner, id, model, version, input_blob, input_size, input_type, input_header, urgency, deadline, webhook, digest, label, parameters, "
    "state, attempt, max_attempts, cancel_requested, stopped, progress_done, progress_total, error_code, error_message, error_hint, "
    "result_blob, result_size, result_type, result_header, notes, "
    "accepted, queued, claimed, batched, started, h2d, forward, d2h, preprocess, postprocess, stored, delivered, batch_size, finished, "
    "expires, "
    "rank, fence, lease_until, worker";

namespace {

ErrorCode parse_code(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::Cancelled); ++i) {
    if (name(static_cast<ErrorCode>(i)) == text) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::Internal;
}

Time time_of(std::int64_t nanoseconds) { return Time{Duration{nanoseconds}}; }

std::optional<Time> maybe_time(sqlite::Query& row) {
  const auto nanoseconds = row.maybe_integer();
  if (!nanoseconds) return std::nullopt;
  return time_of(*nanoseconds);
}

std::optional<Duration> maybe_duration(sqlite::Query& row) {
  const auto nanoseconds = row.maybe_integer();
  if (!nanoseconds) return std::nullopt;
  return Duration{*nanoseconds};
}

Payload read_payload(sqlite::Query& row) {
  Payload payload;
  payload.blob.id.hex = row.text();
  payload.blob.size = row.integer<std::uint64_t>();
  payload.content_type = row.text();
  payload.header_length = row.integer<std::uint64_t>();
  return payload;
}

template <class T, class Member>
auto member(const std::optional<T>& value, Member T::*pointer) {
  return value ? std::optional((*value).*pointer) : std::nullopt;
}

std::optional<std::string> code_name(const std::optional<Error>& error) {
  if (!error) return std::nullopt;
  return std::string(name(error->code));
}

std::optional<std::string> blob_name(const std::optional<Payload>& payload) {
  if (!payload) return std::nullopt;
  return payload->blob.id.hex;
}

std::optional<std::uint64_t> blob_size(const std::optional<Payload>& payload) {
  if (!payload) return std::nullopt;
  return payload->blob.size;
}

// A JSON list; empty: none.
std::string notes_text(const std::vector<std::string>& notes) {
  using Json = nlohmann::json;
  return notes.empty() ? "" : Json(notes).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> read_notes(const std::string& text) {
  std::vector<std::string> notes;
  if (text.empty()) return notes;
  for (const auto& note : nlohmann::json::parse(text, nullptr, false)) {
    if (note.is_string()) notes.push_back(note.get<std::string>());
  }
  return notes;
}

const std::string kSelect = "SELECT number, " + kJobColumns + " FROM jobs WHERE ";
const std::string kSelectByName = kSelect + "owner = ?1 AND id = ?2";
const std::string kSelectByLease = kSelect + "number = ?1 AND fence = ?2 AND state = 1 AND lease_until > ?3";
const std::string kInsert =
    "INSERT INTO jobs (" + kJobColumns +
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, "
    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', ?22, ?23, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, "
    "?24, 0, 0, '') RETURNING number";

Result<std::optional<Record>> read_one(sqlite::Query query) {
  LAPSE_TRY(const bool found, query.next());
  if (!found) return std::nullopt;
  return read_record(query);
}

}  // namespace

Record read_record(sqlite::Query& row) {
  Record record;
  Job& job = record.job;
  job.number = row.integer<std::uint64_t>();
  job.spec.owner = row.text();
  job.spec.id = row.text();
  job.spec.model = row.text();
  job.spec.version = row.text();
  job.spec.input = read_payload(row);
  job.spec.priority = -row.integer<int>();
  job.spec.deadline = maybe_time(row);
  job.spec.webhook = row.text();
  job.spec.digest = row.text();
  job.spec.label = row.text();
  job.spec.parameters = row.text();
  job.state = row.integer<State>();
  job.attempt = row.integer<int>();
  job.max_attempts = row.integer<int>();
  job.cancel_requested = row.integer<int>() != 0;
  job.stopped = row.text();
  job.progress.done = row.integer<std::uint64_t>();
  job.progress.total = row.integer<std::uint64_t>();
  const std::string code = row.text();
  Error error{parse_code(code), row.text(), row.text()};
  if (!code.empty()) job.error = std::move(error);
  Payload result = read_payload(row);
  if (!result.blob.id.empty()) job.result = std::move(result);
  job.notes = read_notes(row.text());
  Trace& trace = job.trace;
  trace.accepted = time_of(row.integer());
  trace.queued = time_of(row.integer());
  trace.claimed = maybe_time(row);
  trace.batched = maybe_time(row);
  trace.started = maybe_time(row);
  trace.h2d = maybe_duration(row);
  trace.forward = maybe_duration(row);
  trace.d2h = maybe_duration(row);
  trace.preprocess = maybe_duration(row);
  trace.postprocess = maybe_duration(row);
  trace.stored = maybe_time(row);
  trace.delivered = maybe_time(row);
  trace.batch_size = row.integer<std::uint32_t>();
  job.finished = maybe_time(row);
  job.expires = maybe_time(row);
  record.rank = row.integer();
  record.fence = row.integer<std::uint64_t>();
  record.lease_until = time_of(row.integer());
  record.worker = row.text();
  return record;
}

Result<std::vector<Record>> read_records(sqlite::Query query) {
  std::vector<Record> records;
  while (true) {
    LAPSE_TRY(const bool found, query.next());
    if (!found) return records;
    records.push_back(read_record(query));
  }
}

Result<std::optional<Record>> find_record(sqlite::Connection& connection, const std::string& owner, const std::string& id) {
  LAPSE_TRY(auto query, connection.query(kSelectByName, owner, id));
  return read_one(std::move(query));
}

Result<std::optional<Record>> find_record(sqlite::Connection& connection, Lease lease, Time now) {
  LAPSE_TRY(auto query, connection.query(kSelectByLease, lease.job, lease.fence, now));
  return read_one(std::move(query));
}

Result<void> insert_record(sqlite::Connection& connection, Record& record) {
  const Job& job = record.job;
  const JobSpec& spec = job.spec;
  LAPSE_TRY(const auto number,
            connection.number(kInsert, spec.owner, spec.id, spec.model, spec.version, spec.input.blob.id.hex, spec.input.blob.size,
                              spec.input.content_type, spec.input.header_length, record.urgency(), spec.deadline, spec.webhook, spec.digest,
                              spec.label, spec.parameters, job.state, job.attempt, job.max_attempts, job.cancel_requested, job.stopped,
                              job.progress.done, job.progress.total, job.trace.accepted, job.trace.queued, record.rank));
  record.job.number = static_cast<std::uint64_t>(number.value_or(0));
  return {};
}

Result<void> update_record(sqlite::Connection& connection, const Record& record) {
  const Job& job = record.job;
  const Trace& trace = job.trace;
  return connection
      .run(
          "UPDATE jobs SET deadline = ?2, state = ?3, attempt = ?4, max_attempts = ?5, cancel_requested = ?6, stopped = ?7, "
          "progress_done = ?8, progress_total = ?9, error_code = ?10, error_message = ?11, error_hint = ?12, result_blob = ?13, "
          "result_size = ?14, result_type = ?15, result_header = ?16, queued = ?17, claimed = ?18, batched = ?19, started = ?20, "
          "h2d = ?21, forward = ?22, d2h = ?23, stored = ?24, delivered = ?25, batch_size = ?26, finished = ?27, expires = ?28, "
          "rank = ?29, fence = ?30, lease_until = ?31, worker = ?32, notes = ?33, preprocess = ?34, postprocess = ?35 WHERE number = ?1",
          job.number, job.spec.deadline, job.state, job.attempt, job.max_attempts, job.cancel_requested, job.stopped, job.progress.done,
          job.progress.total, code_name(job.error), member(job.error, &Error::message), member(job.error, &Error::hint),
          blob_name(job.result), blob_size(job.result), member(job.result, &Payload::content_type),
          member(job.result, &Payload::header_length), trace.queued, trace.claimed, trace.batched, trace.started, trace.h2d, trace.forward,
          trace.d2h, trace.stored, trace.delivered, trace.batch_size, job.finished, job.expires, record.rank, record.fence,
          record.lease_until, record.worker, notes_text(job.notes), trace.preprocess, trace.postprocess)
      .map([](std::uint64_t) {});
}

}  // namespace lapse::jobs
