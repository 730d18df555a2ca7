#include <fmt/format.h>

#include <cassert>
#include <lapse/jobs/sqlite.hpp>
#include <system_error>

namespace lapse::jobs::sqlite {
namespace {

constexpr int kLockWait = 5000;  // ms: another process's checkpoint or backup is done long before
// A reader looks up a few rows, for which the system's own cache is near: SQLite's 2 MiB a connection, times all that ever read at once,
// would fill for hours and look like a leak.
constexpr auto kReader = "PRAGMA query_only = 1; PRAGMA cache_size = -256";  // KiB

Error refusal(sqlite3* database, int code) {
  const char* name = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  const std::string file = name == nullptr || *name == '\0' ? "the database" : name;
  std::string reason = database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database);
  const int system_error = database == nullptr ? 0 : sqlite3_system_errno(database);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ErrorCode::Unavailable, fmt::format("{} can't grow: {}", file, reason), "free some disk space"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_IOERR:
      if (system_error != 0) reason += " (" + std::generic_category().message(system_error) + ")";
      return {ErrorCode::Unavailable, fmt::format("{} can't be used: {}", file, reason),
              "its folder has to be there and writable, with room on the disk"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::Unavailable, fmt::format("{} is damaged, or no database: {}", file, reason),
              "put a backup (`lapse backup`) in its place, or move it away to begin anew"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::Unavailable, fmt::format("{} is in use by another program: {}", file, reason), "end the other program"};
    case SQLITE_NOMEM:
      return {ErrorCode::Unavailable, fmt::format("{}: no memory left", file), ""};
    default:
      return {ErrorCode::Internal, fmt::format("{}: {}", file, reason), ""};
  }
}

}  // namespace

Result<bool> Query::next() {
  column_ = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return tl::unexpected(refusal(sqlite3_db_handle(statement_), code));
}

std::string Query::text() {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_));
  const int size = sqlite3_column_bytes(statement_, column_++);
  return bytes == nullptr ? std::string{} : std::string(bytes, static_cast<std::size_t>(size));
}

std::optional<std::int64_t> Query::maybe_integer() {
  if (sqlite3_column_type(statement_, column_) != SQLITE_NULL) return integer();
  ++column_;
  return std::nullopt;
}

void Query::reset() noexcept {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& file, Mode mode) {
  std::unique_ptr<Connection> connection{new Connection};
  // Readers open the file for writing too: whoever comes first after a crash has to bring the log in. query_only keeps them honest.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::Write ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(file.c_str(), &connection->database_, flags, nullptr);
  if (code != SQLITE_OK) {
    Error error = refusal(connection->database_, code);
    if (error.message.find(file) == std::string::npos) error.message = file + ": " + error.message;
    return tl::unexpected(std::move(error));
  }
  sqlite3_extended_result_codes(connection->database_, 1);
  sqlite3_busy_timeout(connection->database_, kLockWait);
  const auto count = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<Connection*>(self)->log_pages_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(connection->database_, count,
                   connection.get());  // in the place of the automatic checkpoint, whose failures nobody hears
  if (mode == Mode::Read) LAPSE_CHECK(connection->script(kReader));
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Result<void> Connection::script(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(refusal(database_, code));
  return {};
}

bool Connection::sync_failed() const {
  const int code = sqlite3_extended_errcode(database_);
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

bool Connection::found_damage() const {
  const int code = sqlite3_errcode(database_) & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

Result<sqlite3_stmt*> Connection::prepare(std::string_view sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) {
    assert(sqlite3_stmt_busy(known->second) == 0);
    return known->second;
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(refusal(database_, code));
  statements_.emplace(sql, statement);
  return statement;
}

}  // namespace lapse::jobs::sqlite
