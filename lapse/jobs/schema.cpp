#include <fmt/format.h>

#include <array>
#include <lapse/jobs/schema.hpp>

namespace lapse::jobs {
namespace {

// Times and durations are nanoseconds, times since 1970. `state` is the State's number, error_code the ErrorCode's name.
// `urgency` is −priority, so that one ascending index is the order of claims.
constexpr std::string_view kVersion1 = R"(
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL, id TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  input_blob TEXT NOT NULL, input_size INTEGER NOT NULL, input_type TEXT NOT NULL, input_header INTEGER NOT NULL,
  urgency INTEGER NOT NULL, deadline INTEGER, webhook TEXT NOT NULL, digest TEXT NOT NULL,
  state INTEGER NOT NULL, attempt INTEGER NOT NULL, max_attempts INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL, stopped TEXT NOT NULL,
  progress_done INTEGER NOT NULL, progress_total INTEGER NOT NULL,
  error_code TEXT, error_message TEXT, error_hint TEXT,
  result_blob TEXT, result_size INTEGER, result_type TEXT, result_header INTEGER,
  accepted INTEGER NOT NULL, queued INTEGER NOT NULL, claimed INTEGER, batched INTEGER, started INTEGER,
  h2d INTEGER, forward INTEGER, d2h INTEGER, stored INTEGER, delivered INTEGER, batch_size INTEGER NOT NULL,
  finished INTEGER, expires INTEGER,
  rank INTEGER NOT NULL, fence INTEGER NOT NULL, lease_until INTEGER NOT NULL, worker TEXT NOT NULL);
CREATE UNIQUE INDEX jobs_by_name ON jobs (owner, id);
CREATE INDEX jobs_by_owner ON jobs (owner, number);
CREATE INDEX jobs_to_claim ON jobs (model, version, urgency, rank, number, accepted) WHERE state = 0;
CREATE INDEX jobs_by_deadline ON jobs (deadline) WHERE state = 0 AND deadline IS NOT NULL;
CREATE INDEX jobs_by_lease ON jobs (lease_until) WHERE state = 1;
CREATE INDEX jobs_by_expiry ON jobs (expires) WHERE state > 1;

-- What is left of a forgotten job.
CREATE TABLE tombstones (owner TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (owner, id)) WITHOUT ROWID;
CREATE INDEX tombstones_by_time ON tombstones (until);

CREATE TABLE blob_uses (blob TEXT NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (blob, job)) WITHOUT ROWID;

CREATE TABLE events (
  number INTEGER PRIMARY KEY, owner TEXT NOT NULL, sequence INTEGER NOT NULL,
  time INTEGER NOT NULL, type TEXT NOT NULL, job TEXT NOT NULL, data TEXT NOT NULL);
CREATE UNIQUE INDEX events_by_owner ON events (owner, sequence);

CREATE TABLE owners (owner TEXT PRIMARY KEY, last_event INTEGER NOT NULL) WITHOUT ROWID;

-- Fair queueing: where each queue is, and each owner in it.
CREATE TABLE queues (model TEXT NOT NULL, urgency INTEGER NOT NULL, virtual_time INTEGER NOT NULL,
  PRIMARY KEY (model, urgency)) WITHOUT ROWID;
CREATE TABLE turns (owner TEXT NOT NULL, model TEXT NOT NULL, urgency INTEGER NOT NULL, rank INTEGER NOT NULL,
  PRIMARY KEY (owner, model, urgency)) WITHOUT ROWID;

-- How full the queues are, kept true by the two triggers.
CREATE TABLE depths (model TEXT PRIMARY KEY, queued INTEGER NOT NULL, running INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN
  INSERT INTO depths VALUES (new.model, 1, 0, new.input_size)
    ON CONFLICT (model) DO UPDATE SET queued = queued + 1, bytes = bytes + new.input_size;
END;
CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  UPDATE depths SET queued = queued + (new.state = 0) - (old.state = 0), running = running + (new.state = 1) - (old.state = 1),
    bytes = bytes + ((new.state = 0) - (old.state = 0)) * new.input_size WHERE model = new.model;
END;

-- Messages to webhooks.
CREATE TABLE notices (
  number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, job TEXT NOT NULL, url TEXT NOT NULL, body TEXT NOT NULL,
  attempt INTEGER NOT NULL, due INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE INDEX notices_by_time ON notices (due);

CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('fence', 0);
CREATE TABLE probe (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
)";

// What people and workers are told of a job besides. `notes` is a JSON list of texts; empty: none.
constexpr std::string_view kVersion2 = R"(
ALTER TABLE jobs ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN parameters TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN preprocess INTEGER;
ALTER TABLE jobs ADD COLUMN postprocess INTEGER;
)";

constexpr std::array kMigrations{kVersion1, kVersion2};

struct Identity {
  std::int64_t application = 0, version = 0, tables = 0;
};

Result<Identity> identify(sqlite::Connection& connection) {
  Identity identity;
  LAPSE_TRY(const auto application, connection.number("PRAGMA application_id"));
  LAPSE_TRY(const auto version, connection.number("PRAGMA user_version"));
  LAPSE_TRY(const auto tables, connection.number("SELECT count(*) FROM sqlite_schema"));
  identity.application = application.value_or(0);
  identity.version = version.value_or(0);
  identity.tables = tables.value_or(0);
  if (identity.tables > 0 && identity.application != kApplicationId) {
    return fail(ErrorCode::Unavailable, "the database is another program's", "give a data folder of its own");
  }
  return identity;
}

}  // namespace

std::span<const std::string_view> migrations() { return kMigrations; }

Result<void> prepare_schema(sqlite::Connection& connection, std::span<const std::string_view> steps) {
  LAPSE_TRY(const Identity found, identify(connection));
  if (found.version > std::ssize(steps)) {
    return fail(ErrorCode::Unavailable,
                fmt::format("the database has version {}, and this program knows versions up to {}", found.version, steps.size()),
                "use the newer lapse that wrote it, or a backup from before");
  }
  if (found.version == std::ssize(steps)) return {};
  std::string script = "BEGIN IMMEDIATE;";
  for (const std::string_view step : steps.subspan(static_cast<std::size_t>(found.version))) script += step;
  script += fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;", kApplicationId, steps.size());
  const auto made = connection.script(script);
  if (!made && connection.in_transaction()) static_cast<void>(connection.script("ROLLBACK"));
  return made;
}

Result<void> check_schema(sqlite::Connection& connection) {
  LAPSE_TRY(const Identity found, identify(connection));
  if (found.version == std::ssize(migrations())) return {};
  return fail(ErrorCode::Unavailable,
              fmt::format("the database has version {}, and this program's is {}", found.version, migrations().size()),
              "use the lapse that serves it");
}

}  // namespace lapse::jobs
