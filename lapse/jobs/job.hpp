#pragma once
// What a job is, from the request to the result.

#include <chrono>
#include <cstdint>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <lapse/jobs/blob_store.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::jobs {

/// Time of day (UTC), as it stands in the database and in every document: nanoseconds since 1970.
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;
/// Where the time of day comes from; a test's own.
using Clock = std::function<Time()>;
Time system_now();

///   queued ──claim──▶ running ──complete──▶ done
///     │ ▲                │ └─────fail──────▶ failed      (not retryable, or no attempt left)
///     │ └──release,──────┘                               (retryable failure, lease lapsed, drain)
///     ├──cancel─────▶ cancelled ◀──cancel, worker stopped── running
///     └──deadline───▶ expired
/// done, failed, cancelled and expired are final, until retry() queues the job again; each final state is reached exactly once a queueing.
enum class State : std::uint8_t { Queued, Running, Done, Failed, Cancelled, Expired };
std::string_view name(State state) noexcept;  // "queued", …
Result<State> parse_state(std::string_view text);
constexpr bool final(State state) noexcept { return state > State::Running; }

/// How a stored body is to be read.
struct Payload {
  Blob blob;
  std::string content_type;
  std::uint64_t header_length = 0;  // Inference-Header-Content-Length; 0: the body is JSON alone
};

/// What is handed in. (owner, id) names the job for ever.
struct JobSpec {
  std::string owner;  // 1 to 64 characters
  std::string id;     // 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, not . or .., chosen by the client or by us
  std::string model;
  std::string version;  // empty: the newest there is when it runs
  Payload input;
  int priority = 0;              // −10 … 10; a higher one is claimed first
  std::optional<Time> deadline;  // not started after it
  std::string webhook;           // URL that is told of the final state; empty: none
  std::string label;             // for people, such as a file's name: up to 255 bytes of UTF-8 without control characters; may be empty
  std::string parameters;        // a JSON object for the worker, as it is; empty: none
  /// What makes two submissions the same: everything that the client sent, digested. Another digest under the same id is a Conflict.
  std::string digest;
};

/// Names, label, priority and blob are as they should be. Error: BadInput.
Result<void> check(const JobSpec& spec);

/// Marks of the life of a job, the project's own definitions (docs/serving.md). Of the last attempt, but for `accepted`.
struct Trace {
  Time accepted{};                            // durable: 202 may be said
  Time queued{};                              // entered the queue (again)
  std::optional<Time> claimed;                // a lease was given
  std::optional<Time> batched;                // the worker put it into a batch
  std::optional<Time> started;                // forward pass (or its H2D) submitted
  std::optional<Duration> h2d, forward, d2h;  // of its batch; h2d and d2h only on a device with memory of its own
  // Photos, whose `forward` is the sum of their shares of the passes: decoding and cutting, putting together and encoding. Meanwhile others
  // of its tiles may go through the model.
  std::optional<Duration> preprocess, postprocess;
  std::optional<Time> stored;     // result durable, final state committed
  std::optional<Time> delivered;  // first time that the client was told or took the result
  std::uint32_t batch_size = 0;   // requests in its batch
};

struct Progress {
  std::uint64_t done = 0, total = 0;  // units of work (a batch; a tile); total 0: not known
};

struct Job {
  std::uint64_t number = 0;  // order of acceptance, unique in the store
  JobSpec spec;
  State state = State::Queued;
  int attempt = 0;       // claims so far
  int max_attempts = 0;  // of the present queueing
  bool cancel_requested = false;
  std::string stopped;  // cancelled: what was really stopped: "before it started", "after the batch that was running", …
  Progress progress;
  std::optional<Error> error;      // failed: the last attempt's
  std::optional<Payload> result;   // done
  std::vector<std::string> notes;  // done: what is to be said of the result, a line each
  Trace trace;
  std::optional<Time> finished;  // when the final state was reached
  std::optional<Time> expires;   // final: when it is forgotten, tombstone apart
};

/// The right to work on a job, of one attempt. A lease that lapsed or was taken away is refused by its fence: nothing that its holder says
/// has any effect then.
struct Lease {
  std::uint64_t job = 0;    // Job::number
  std::uint64_t fence = 0;  // grows with every claim in the store
};

struct Event {
  std::string owner;
  std::uint64_t sequence = 0;  // per owner, without gaps, in commit order, none twice
  Time time{};
  std::string type;  // "queued", "running", "progress", "done", "failed", "cancelled", "expired", "deleted"
  std::string job;   // JobSpec::id
  std::string data;  // a JSON object
};

}  // namespace lapse::jobs
