#pragma once
// Between those who ask and the workers: finds the models, keeps the workers alive, forms batches, and brings results home.
//
//   models folder ──▶ Repository ──▶ Fleet (one or more worker processes a model version)
//   synchronous requests, queued jobs ──▶ Scheduler (when, how many, whose) ──▶ worker ──▶ reply | JobStore::complete (fenced)
//
// Threads: the front's one; the store and the blobs are waited for on the pool.

#include <lapse/serve/async.hpp>

#include <functional>
#include <lapse/image/tiles.hpp>
#include <lapse/jobs/blob_store.hpp>
#include <lapse/jobs/job_store.hpp>
#include <lapse/serve/observe/observer.hpp>
#include <lapse/serve/oip/infer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lapse::serve {

/// One model version, from the files: MODELS/NAME.onnx, MODELS/NAME.pt (version 1), MODELS/NAME/N/model.{onnx,pt}; settings in
/// MODELS/NAME.json or MODELS/NAME/lapse.json. Documented in docs/serving.md.
struct ModelSettings {
  std::string engine, device;
  std::vector<std::pair<std::string, std::string>> engine_options;
  int threads = 1;
  int instances = 1;                            // worker processes
  int max_batch = 1;                            // rows of one forward pass; 1: requests are not joined
  Duration max_delay{};                         // how long a request may wait for company
  Duration timeout = std::chrono::minutes{10};  // of one forward pass: then the worker is killed
  std::uint64_t max_waiting = 1000;             // synchronous requests
  bool finite = false;                          // NaN and infinities are refused
  std::string model;                            // null or sim:SETTINGS instead of a file
  oip::Signature declared;                      // for files that don't tell
  std::optional<image::Scaling> photo;          // its jobs are picture files, enlarged tile by tile; else they are inference requests
};

enum class ModelState : std::uint8_t { Loading, Ready, Unavailable };

struct ModelStatus {
  std::string name, version;
  ModelState state = ModelState::Loading;
  std::string reason;  // unavailable: why
  std::string platform;
  oip::Signature signature;
  ModelSettings settings;
  bool batches = false;  // max_batch is made use of: the model leaves the first dimension open
  bool newest = false;
  /// Triton's statistics extension counts these; durations are sums. An inference is a row, an execution a forward pass.
  struct Statistics {
    std::uint64_t inferences = 0, executions = 0, successes = 0, failures = 0, cancelled = 0;
    Duration success{}, fail{}, queue{}, input{}, forward{}, output{};
    struct Passes {
      std::uint64_t count = 0;
      Duration input{}, forward{}, output{};
    };
    std::map<std::uint64_t, Passes> batches;  // by their rows
    std::optional<jobs::Time> last;
  } statistics;
  int workers = 0, restarts = 0;
};

struct DirectRequest {
  std::string model, version;  // version empty: the newest
  std::string body;
  std::uint64_t header_length = 0;
  int priority = 0;
  std::optional<Duration> timeout;  // not started after this
  std::string owner;
  std::size_t rows = 1;  // its share of a batch
};
struct DirectReply {
  std::string body;
  std::uint64_t header_length = 0;
  std::string content_type;
};
/// Somebody stopped waiting: a request that has not started is not run.
class Ticket {
 public:
  void abandon() {
    abandoned_ = true;
    if (hook_) hook_();
  }
  bool abandoned() const noexcept { return abandoned_; }
  void hook(std::function<void()> hook) { hook_ = std::move(hook); }

 private:
  bool abandoned_ = false;
  std::function<void()> hook_;
};

struct DispatcherOptions {
  std::string models, blobs, program;  // folders; the lapse program itself, to start workers with
  Duration lease = std::chrono::seconds{30};
  Duration heartbeat = std::chrono::seconds{10};
  Duration silence = std::chrono::seconds{10};  // of a worker: no lease is extended after half of it, and after all it is killed
  Duration scan = std::chrono::seconds{1};      // of the models folder
  bool kill_unresponsive = true;                // false: a worker that is silent is left alone, and fenced off when its leases lapse
};

class Dispatcher {
 public:
  static std::unique_ptr<Dispatcher> make(net::io_context& context, net::thread_pool& pool, jobs::JobStore& store, jobs::BlobStore& blobs,
                                          Observer& observer, const DispatcherOptions& options);
  virtual ~Dispatcher() = default;
  virtual void start() = 0;

  /// Synchronous inference. Errors: NotFound, Unavailable (loading, or no worker), Busy (too many wait), Deadline, Cancelled (abandoned),
  /// and the worker's own.
  virtual net::awaitable<Result<DirectReply>> infer(DirectRequest request, std::shared_ptr<Ticket> ticket) = 0;
  /// A job of this model was queued.
  virtual void wake(const std::string& model) = 0;
  /// The store was asked to cancel this running job: tell the worker now, not at the next heartbeat.
  virtual void cancelled(std::uint64_t job) = 0;

  /// Every version of every model; a model's newest is marked.
  virtual std::vector<ModelStatus> models() const = 0;
  /// Error: NotFound. Version empty: the newest that is ready, or the newest.
  virtual Result<ModelStatus> model(const std::string& name, const std::string& version) const = 0;
  /// How long a job that is queued now at `position` will probably wait, from the pace of late; nothing: not known yet. Model empty: until
  /// the queues of all models together are so much shorter.
  virtual std::optional<Duration> estimate(const std::string& model, std::uint64_t position) const = 0;

  /// No new work; waits for what is running until `deadline`, releases the rest, ends the workers.
  virtual net::awaitable<void> drain(Duration deadline) = 0;
};

}  // namespace lapse::serve
