#pragma once
// `lapse serve`: the front put together and run until it is told to stop.
//
//   Server ─▶ Gate ─▶ Router ─▶ api/ (health, models, infer, jobs, events, session, metrics, openapi)
//                                 │            │
//                          Dispatcher      JobStore, BlobStore ◀── sweeper (time, litter), webhooks
//                                 └▶ workers

#include <lapse/base/error.hpp>
#include <lapse/jobs/job_store.hpp>
#include <lapse/serve/http/server.hpp>
#include <string>
#include <vector>

namespace lapse::serve {

struct FrontOptions {
  std::string models, data;
  std::string program;  // this very program, to start workers with
  http::ServerOptions server;
  bool anonymous = true;           // false: --auth token
  std::vector<std::string> hosts;  // --host
  jobs::Limits limits;
  std::uint64_t max_body = 64u << 20;  // bytes of one request
  Duration drain = std::chrono::seconds{30};
  bool private_webhooks = false;  // --allow-private-webhooks
  Duration lease = std::chrono::seconds{30};
  Duration blob_grace = std::chrono::minutes{2};
};

/// Runs until SIGTERM or SIGINT (a second one ends it at once), then drains. Prints one line with the address to stdout when it listens,
/// everything else to the log on stderr. Returns the exit status. Errors: BadUse (address, folders, a public address without tokens),
/// Unavailable (the data folder is in use by another server, or broken).
Result<int> serve(const FrontOptions& options);

}  // namespace lapse::serve
