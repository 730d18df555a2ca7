#pragma once
// What time demands, every second: deadlines, lapsed leases, retention, litter; and is the disk still well?
//
// Threads: the front's one; the store is waited for on the pool.

#include <lapse/serve/api/services.hpp>

#include <lapse/jobs/job_store.hpp>
#include <lapse/serve/access/tokens.hpp>
#include <vector>

namespace lapse::serve {

class Housekeeping {
 public:
  struct Options {
    std::uint64_t min_free = 0;  // bytes
    Duration blob_grace{};
    Tokens* tokens = nullptr;  // without which nobody gets in; null: everybody does
  };
  Housekeeping(net::io_context& context, net::thread_pool& pool, jobs::JobStore& store, jobs::BlobStore& blobs, Observer& observer,
               const Options& options)
      : context_(context), pool_(pool), store_(store), blobs_(blobs), observer_(observer), options_(options) {}

  /// Looks once, before anybody asks. Blocks; for litter it is looked later.
  void begin();
  /// Looks every second. Ends with the context.
  net::awaitable<void> run();

  /// What the handlers ask before they take new work.
  api::Condition condition;
  /// As of the last look.
  std::vector<jobs::QueueDepth> depths;
  std::uint64_t free_bytes = 0;

 private:
  struct Look {
    std::optional<Error> trouble;
    std::vector<jobs::QueueDepth> depths;
    std::uint64_t free_bytes = 0;
  };
  /// On the pool.
  Look look(bool probe, bool litter);
  void sweep();
  void take(Look now);

  net::io_context& context_;
  net::thread_pool& pool_;
  jobs::JobStore& store_;
  jobs::BlobStore& blobs_;
  Observer& observer_;
  const Options options_;
};

}  // namespace lapse::serve
