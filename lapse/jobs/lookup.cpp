#include <fmt/format.h>

#include <lapse/jobs/lookup.hpp>
#include <limits>

namespace lapse::jobs {

Result<Record> find_job(sqlite::Connection& connection, const std::string& owner, const std::string& id, Time now) {
  LAPSE_TRY(auto record, find_record(connection, owner, id));
  if (record) return std::move(*record);
  LAPSE_TRY(const auto until, connection.number("SELECT until FROM tombstones WHERE owner = ?1 AND id = ?2", owner, id));
  if (until && *until > now.time_since_epoch().count()) {
    return fail(ErrorCode::Gone, fmt::format("job {} is forgotten", id), "its retention has ended, or it was deleted");
  }
  return fail(ErrorCode::NotFound, fmt::format("there is no job {}", id));
}

Result<std::uint64_t> count_before(sqlite::Connection& connection, std::uint64_t job) {
  // The versions one by one, each a jump in the index, and for each a range of the index.
  LAPSE_TRY(
      const auto count,
      connection.number("WITH RECURSIVE mine AS (SELECT model, urgency, rank, number FROM jobs WHERE number = ?1 AND state = 0), "
                        "versions (version) AS (SELECT (SELECT min(version) FROM jobs WHERE state = 0 AND model = mine.model) FROM mine "
                        "UNION ALL SELECT (SELECT min(j.version) FROM jobs j WHERE j.state = 0 AND j.model = mine.model AND "
                        "j.version > versions.version) FROM versions, mine WHERE versions.version IS NOT NULL) "
                        "SELECT sum((SELECT count(*) FROM jobs j WHERE j.state = 0 AND j.model = mine.model AND "
                        "j.version = versions.version AND (j.urgency, j.rank, j.number) < (mine.urgency, mine.rank, mine.number))) "
                        "FROM versions, mine WHERE versions.version IS NOT NULL",
                        job));
  return static_cast<std::uint64_t>(count.value_or(0));
}

Result<Page> list_jobs(sqlite::Connection& connection, const std::string& owner, const Filter& filter, std::size_t limit,
                       std::optional<std::uint64_t> before) {
  static const std::string kSql = "SELECT number, " + kJobColumns +
                                  " FROM jobs WHERE owner = ?1 AND number < ?2 AND (?3 IS NULL OR state = ?3) AND (?4 = '' OR model = ?4) "
                                  "ORDER BY number DESC LIMIT ?5";
  const std::int64_t end = before && *before < std::numeric_limits<std::int64_t>::max() ? static_cast<std::int64_t>(*before)
                                                                                        : std::numeric_limits<std::int64_t>::max();
  LAPSE_TRY(auto query, connection.query(kSql, owner, end, filter.state, filter.model, limit + 1));
  LAPSE_TRY(auto records, read_records(std::move(query)));
  Page page;
  for (Record& record : records) {
    if (page.jobs.size() == limit) {
      if (limit > 0) page.next = page.jobs.back().number;
      break;
    }
    page.jobs.push_back(std::move(record.job));
  }
  return page;
}

Result<JobStore::Events> read_events(sqlite::Connection& connection, const std::string& owner, std::uint64_t sequence, std::size_t limit) {
  JobStore::Events found;
  // One statement, so that the three come from the same moment. The left join gives one row even where there is no event.
  LAPSE_TRY(auto query,
            connection.query("SELECT o.last_event, coalesce((SELECT min(sequence) FROM events WHERE owner = ?1), o.last_event + 1), "
                             "e.sequence, e.time, e.type, e.job, e.data FROM owners o LEFT JOIN (SELECT * FROM events WHERE owner = ?1 AND "
                             "sequence > ?2 ORDER BY sequence LIMIT ?3) e WHERE o.owner = ?1 ORDER BY e.sequence",
                             owner, std::min<std::uint64_t>(sequence, std::numeric_limits<std::int64_t>::max()), limit));
  while (true) {
    LAPSE_TRY(const bool row, query.next());
    if (!row) break;
    found.newest = query.integer<std::uint64_t>();
    found.oldest = query.integer<std::uint64_t>();
    const auto number = query.maybe_integer();
    if (!number) break;
    Event event{owner, static_cast<std::uint64_t>(*number), Time{Duration{query.integer()}}, query.text(), query.text(), query.text()};
    found.events.push_back(std::move(event));
  }
  if (found.oldest == 0) found.oldest = 1;
  return found;
}

Result<std::vector<QueueDepth>> read_depths(sqlite::Connection& connection) {
  std::vector<QueueDepth> depths;
  LAPSE_TRY(auto query, connection.query("SELECT model, queued, running, bytes, (SELECT min(accepted) FROM jobs WHERE state = 0 AND "
                                         "jobs.model = depths.model) FROM depths WHERE queued > 0 OR running > 0 ORDER BY model"));
  while (true) {
    LAPSE_TRY(const bool row, query.next());
    if (!row) return depths;
    QueueDepth depth{query.text(), query.integer<std::uint64_t>(), query.integer<std::uint64_t>(), query.integer<std::uint64_t>(), {}};
    if (const auto oldest = query.maybe_integer()) depth.oldest = Time{Duration{*oldest}};
    depths.push_back(std::move(depth));
  }
}

}  // namespace lapse::jobs
