#pragma once
// A job as a row of the table `jobs`.

#include <lapse/jobs/job.hpp>
#include <lapse/jobs/sqlite.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lapse::jobs {

/// The job, and what is the store's own business.
struct Record {
  Job job;
  std::int64_t rank = 0;  // in the fair queue
  std::uint64_t fence = 0;
  Time lease_until{};
  std::string worker;

  int urgency() const { return -job.spec.priority; }
};

/// Every column of `jobs` but `number`, in the order of read_record.
extern const std::string kJobColumns;

/// The row that the query stands on: SELECT number, {kJobColumns}.
Record read_record(sqlite::Query& row);
/// All rows.
Result<std::vector<Record>> read_records(sqlite::Query query);
Result<std::optional<Record>> find_record(sqlite::Connection& connection, const std::string& owner, const std::string& id);
/// The job that this lease is good for; nothing: it has lapsed, or is somebody else's.
Result<std::optional<Record>> find_record(sqlite::Connection& connection, Lease lease, Time now);

/// Writes a new row and sets its number.
Result<void> insert_record(sqlite::Connection& connection, Record& record);
/// Writes what can change after submission.
Result<void> update_record(sqlite::Connection& connection, const Record& record);

}  // namespace lapse::jobs
