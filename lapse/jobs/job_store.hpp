#pragma once
// Where jobs live: every function is one transaction, durable when it returns.
//
// Implementations: SqliteJobStore (embedded; the front is the only process that opens it); PostgreSQL for many fronts. One property and
// kill suite runs on each (tests/jobs). Workers never see a store: the front claims for them and completes what they report.
//
// Threads: any. Functions block until their transaction is durable; concurrent calls share one (group commit), so throughput comes from
// calling on several threads.
// Errors of every function: Unavailable when the store can't be read or written (full disk, read-only, corrupt), with the reason.
//
// Fairness: start-time fair queueing (Goyal, Vin, Cheng, "Start-time Fair Queueing", SIGCOMM 1996) per model and priority: a job's
// rank is max(virtual time of the queue, its owner's last rank + 1), and the smallest rank of the highest priority is claimed first;
// virtual time is the largest rank that was claimed, so a job that is queued again under its old rank does not set it back. Rank is stored,
// so a claim is an index look-up in any database.

#include <functional>
#include <lapse/jobs/job.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lapse::jobs {

/// What the store holds to. Bounds are for what is queued.
struct Limits {
  std::uint64_t max_queued_jobs = 100'000;
  std::uint64_t max_queued_bytes = 16ull << 30;
  int max_attempts = 5;
  Duration retention = std::chrono::hours{24};      // of a final job, its blobs and its events
  Duration tombstone = std::chrono::hours{24 * 7};  // 410 for this long after that, then 404
};

struct Submitted {
  Job job;
  bool created = false;  // false: it was there already, the same
};

struct Claimed {
  Job job;
  Lease lease;
};

enum class Pulse : std::uint8_t {
  Held,       // go on
  Cancelled,  // stop at the next unit of work, then confirm_cancelled
  Lost,       // the lease is somebody else's: stop, nothing that you say counts
};

struct Page {
  std::vector<Job> jobs;              // newest first
  std::optional<std::uint64_t> next;  // cursor of the next page: pass as `before`
};

struct Filter {
  std::optional<State> state;
  std::string model;  // empty: any
};

struct Removed {
  std::vector<BlobId> released;  // blobs that no job refers to any more: to be given to BlobStore::remove_unreferenced
  std::size_t shared = 0;        // blobs that other jobs still refer to
};

struct QueueDepth {
  std::string model;
  std::uint64_t queued = 0, running = 0, bytes = 0;  // bytes: of the queued inputs
  std::optional<Time> oldest;                        // accepted time of the oldest queued
};

struct Swept {
  std::size_t deadlines = 0;  // queued → expired
  std::size_t lapsed = 0;     // leases that lapsed: → queued, or failed when no attempt is left
  std::size_t forgotten = 0;  // final jobs whose retention ended: now tombstones
  std::vector<BlobId> released;
  bool more = false;  // a piece was full: sweep again
};

/// One message to a webhook, from durable state.
struct Notice {
  std::uint64_t number = 0;
  std::string owner, job, url;
  std::string body;  // JSON
  int attempt = 0;   // deliveries tried so far
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  /// Idempotent by (owner, id). The input blob must be durable. Errors: Conflict (other digest under this id), Gone (tombstone),
  /// Busy (a bound is reached), BadInput (names).
  virtual Result<Submitted> submit(const JobSpec& spec) = 0;

  /// Up to `count` queued jobs of one model (and version; empty: only jobs that name none or any of `versions`), in claim order. Each gets
  /// a lease of its own. Jobs past their deadline are expired instead. Empty when there is nothing.
  struct ClaimRequest {
    std::string worker;  // for people: in the log and the job's document
    std::string model;
    std::vector<std::string> versions;  // that the worker serves; a job without a version is served by newest
    bool newest = true;                 // the worker serves the newest version
    std::size_t count = 1;
    Duration lease = std::chrono::seconds{30};
  };
  virtual Result<std::vector<Claimed>> claim(const ClaimRequest& request) = 0;

  /// Extends leases. One Pulse for each.
  virtual Result<std::vector<Pulse>> heartbeat(std::span<const Lease> leases, Duration lease) = 0;
  /// Publishes an event of type "progress". False: fenced off.
  virtual Result<bool> progress(Lease lease, Progress progress) = 0;

  /// How an attempt ended. All return false when the fence has moved on: then nothing has changed.
  struct Completion {
    Lease lease;
    Payload result;
    Trace trace;  // batched, started, the durations, batch_size; the store fills in the rest
    std::vector<std::string> notes;
  };
  /// Final state done; cancelled instead if a cancel was asked for meanwhile (the result is not kept then).
  virtual Result<bool> complete(const Completion& completion) = 0;
  /// Queued again when `retryable` and attempts are left, else failed.
  virtual Result<bool> fail(Lease lease, const Error& error, bool retryable) = 0;
  /// Queued again, the attempt not counted: nothing was wrong with the job (the worker was told to stop, the disk had no room for the
  /// result). Expired where its deadline has passed.
  virtual Result<bool> release(Lease lease) = 0;
  /// Cancelled; `stopped` says what was stopped, for the client.
  virtual Result<bool> confirm_cancelled(Lease lease, const std::string& stopped) = 0;

  /// queued → cancelled at once. running → cancel_requested, the worker learns by its next Pulse. A final job is left as it is. Returns the
  /// job as it is now. Errors: NotFound, Gone.
  virtual Result<Job> cancel(const std::string& owner, const std::string& id) = 0;
  /// Forgets a final job: its references to blobs go, a tombstone stays. Errors: NotFound, Gone, Conflict (not final).
  virtual Result<Removed> remove(const std::string& owner, const std::string& id) = 0;
  /// A failed, cancelled or expired job is queued again, with all attempts (and without its old deadline). Errors: NotFound, Gone,
  /// Conflict, Busy.
  virtual Result<Job> retry(const std::string& owner, const std::string& id) = 0;
  /// The client was told of the end of these jobs, or took their results: the first time counts, of final jobs. Need not be durable at
  /// once.
  virtual Result<void> delivered(const std::string& owner, std::span<const std::string> ids) = 0;

  /// Errors: NotFound, Gone.
  virtual Result<Job> get(const std::string& owner, const std::string& id) = 0;
  /// Jobs that are claimed before this queued one, 0 for the next; of its model.
  virtual Result<std::uint64_t> position(std::uint64_t job) = 0;
  virtual Result<Page> list(const std::string& owner, const Filter& filter, std::size_t limit, std::optional<std::uint64_t> before) = 0;

  /// Events of an owner after `sequence`, in order. `oldest` tells what is still there: a client that has seen less than oldest − 1 has
  /// missed some for good.
  struct Events {
    std::vector<Event> events;
    std::uint64_t oldest = 0, newest = 0;
  };
  virtual Result<Events> events_since(const std::string& owner, std::uint64_t sequence, std::size_t limit) = 0;
  /// Called after every commit that brought any of these, on a thread of the store's. To wake and to count by, not the truth: what a crash
  /// keeps from being told here is told to nobody. Set once, before use.
  struct Changes {
    std::vector<std::string> owners;  // with new events
    std::vector<std::string> models;  // of newly queued jobs, one for each
    bool notices = false;             // webhook messages were queued
    std::vector<Job> ended;           // final now, or queued again after a failed attempt, which `error` tells of
    std::vector<Job> delivered;       // for the first time
  };
  virtual void on_change(std::function<void(const Changes&)> listener) = 0;

  virtual Result<std::vector<QueueDepth>> depths() = 0;
  /// Does what time demands: deadlines, lapsed leases, retention, tombstones, old events. In pieces of at most `limit` rows each.
  virtual Result<Swept> sweep(std::size_t limit = 1000) = 0;
  /// After a start: nobody holds a lease any more. Every running job is queued again (or failed, when no attempt is left; or cancelled,
  /// when that was asked for). Returns how many. Webhook messages that were under way are due at once.
  virtual Result<std::size_t> recover() = 0;
  virtual Result<bool> referenced(const BlobId& blob) = 0;

  /// Webhook messages that are due, claimed for `lease`; each then delivered (and its job with it) or put off until `next` (nothing: given
  /// up).
  virtual Result<std::vector<Notice>> due_notices(std::size_t count, Duration lease) = 0;
  virtual Result<void> notice_delivered(std::uint64_t notice) = 0;
  virtual Result<void> notice_failed(std::uint64_t notice, const std::string& reason, std::optional<Time> next) = 0;

  /// A consistent copy of the database, while it is in use.
  virtual Result<void> backup(const std::string& file) = 0;
  /// Can it be written, and was no damage ever met? Nothing: yes. Else why not.
  virtual Result<void> healthy() = 0;
};

}  // namespace lapse::jobs
