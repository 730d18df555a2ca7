#pragma once
// Questions to the tables that change nothing.

#include <lapse/jobs/job_store.hpp>
#include <lapse/jobs/records.hpp>
#include <lapse/jobs/sqlite.hpp>

namespace lapse::jobs {

/// Errors: NotFound; Gone while its tombstone stands.
Result<Record> find_job(sqlite::Connection& connection, const std::string& owner, const std::string& id, Time now);
Result<std::uint64_t> count_before(sqlite::Connection& connection, std::uint64_t job);
Result<Page> list_jobs(sqlite::Connection& connection, const std::string& owner, const Filter& filter, std::size_t limit,
                       std::optional<std::uint64_t> before);
Result<JobStore::Events> read_events(sqlite::Connection& connection, const std::string& owner, std::uint64_t sequence, std::size_t limit);
Result<std::vector<QueueDepth>> read_depths(sqlite::Connection& connection);

}  // namespace lapse::jobs
