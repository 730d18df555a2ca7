#pragma once
// The tables, and how a database of an older version becomes one of this.

#include <lapse/jobs/sqlite.hpp>
#include <span>
#include <string_view>

namespace lapse::jobs {

/// "laps": tells our file from any other SQLite database.
constexpr int kApplicationId = 0x6c617073;

/// What brings a database from version i to i + 1. A migration that has been released is never changed.
std::span<const std::string_view> migrations();

/// Makes or migrates the tables, in one transaction. Errors: Unavailable for a file that is another program's, newer than this program, or
/// damaged.
Result<void> prepare_schema(sqlite::Connection& connection, std::span<const std::string_view> steps = migrations());

/// The same without changing anything: is it ours, and of this version?
Result<void> check_schema(sqlite::Connection& connection);

}  // namespace lapse::jobs
