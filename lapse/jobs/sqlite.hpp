#pragma once
// SQLite, as thin as it goes: a connection with its prepared statements, and one run of a statement.
//
// Threads: a connection belongs to one thread at a time.
// Errors: Unavailable for what the disk or the file does to us (full, read-only, damaged, not a database), with what to do; Internal for a
// statement of ours that is wrong.

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <lapse/base/error.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

namespace lapse::jobs::sqlite {

/// One run of a prepared statement: bound when made, reset when it goes. Columns are read from left to right.
class Query {
 public:
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)), column_(other.column_) {}
  Query& operator=(Query&&) = delete;
  ~Query() { reset(); }

  /// To the next row; false: there is none.
  Result<bool> next();

  template <class Integer = std::int64_t>
  Integer integer() {
    return static_cast<Integer>(sqlite3_column_int64(statement_, column_++));
  }
  std::string text();
  /// The next column, if it is not null.
  std::optional<std::int64_t> maybe_integer();

 private:
  friend class Connection;
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  void reset() noexcept;

  template <class Value>
  void bind(int index, const Value& value) {
    if constexpr (std::is_convertible_v<Value, std::string_view>) {
      const std::string_view text{value};
      // Never a null pointer, which would bind NULL. The statement is run while the argument lives, but reset later: so SQLite's own copy.
      sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
      sqlite3_bind_int64(statement_, index, static_cast<std::int64_t>(value));
    } else {  // an optional
      if (value) {
        bind(index, *value);
      } else {
        sqlite3_bind_null(statement_, index);
      }
    }
  }
  template <class Rep, class Period>
  void bind(int index, const std::chrono::duration<Rep, Period>& value) {
    bind(index, std::chrono::nanoseconds{value}.count());
  }
  template <class Clock, class Duration>
  void bind(int index, const std::chrono::time_point<Clock, Duration>& value) {
    bind(index, value.time_since_epoch());
  }

  sqlite3_stmt* statement_;
  int column_ = 0;
};

class Connection {
 public:
  /// Write makes the file if it is not there, and leaves it to its user to bring the log into the file (checkpoint). Read changes nothing.
  /// Waits for locks of other processes for up to 5 seconds.
  enum class Mode : std::uint8_t { Read, Write };
  static Result<std::unique_ptr<Connection>> open(const std::string& file, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Statements without values and results.
  Result<void> script(const std::string& sql);
  /// A statement with its values, ?1 and so on. Prepared once. A statement is not to be run again while its Query lives.
  template <class... Values>
  Result<Query> query(std::string_view sql, const Values&... values) {
    LAPSE_TRY(sqlite3_stmt * statement, prepare(sql));
    Query run{statement};
    [[maybe_unused]] int index = 0;
    (run.bind(++index, values), ...);
    return run;
  }
  /// A statement without results: how many rows were changed.
  template <class... Values>
  Result<std::uint64_t> run(std::string_view sql, const Values&... values) {
    LAPSE_TRY(Query run, query(sql, values...));
    LAPSE_CHECK(run.next());
    return static_cast<std::uint64_t>(sqlite3_changes64(database_));
  }
  /// The one integer that a statement gives; nothing: no row, or null.
  template <class... Values>
  Result<std::optional<std::int64_t>> number(std::string_view sql, const Values&... values) {
    LAPSE_TRY(Query run, query(sql, values...));
    LAPSE_TRY(const bool found, run.next());
    if (!found) return std::nullopt;
    return run.maybe_integer();
  }
  bool in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }
  /// Pages in the write-ahead log after the last commit.
  int log_pages() const noexcept { return log_pages_; }
  /// The last failure was that of an fsync: nobody knows what is on the disk now.
  bool sync_failed() const;
  /// The last failure was that the file holds what no database holds.
  bool found_damage() const;

 private:
  Connection() = default;
  Result<sqlite3_stmt*> prepare(std::string_view sql);

  sqlite3* database_ = nullptr;
  int log_pages_ = 0;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, sqlite3_stmt*, Hash, std::equal_to<>> statements_;
};

}  // namespace lapse::jobs::sqlite
