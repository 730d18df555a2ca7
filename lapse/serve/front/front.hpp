#pragma once
// `lapse serve`: the front put together and run until it is told to stop.
//
//   Server ─▶ Gate ─▶ Router ─▶ api/ (health, models, infer, jobs, events, session, metrics, openapi, page)
//                                 │            │
//                          Dispatcher      JobStore, BlobStore ◀── Housekeeping (time, litter), Webhooks
//                                 └▶ workers

#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/jobs/job_store.hpp>
#include <lapse/serve/http/server.hpp>
#include <lapse/serve/observe/observer.hpp>
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
  std::uint64_t max_body = 64u << 20;   // bytes of one request
  std::uint64_t min_free = 256u << 20;  // bytes of disk below which nothing new is accepted
  Duration drain = std::chrono::seconds{30};
  bool private_webhooks = false;  // --allow-private-webhooks
  Duration lease = std::chrono::seconds{30};
  Duration blob_grace = std::chrono::minutes{2};
  std::size_t pool = 16;  // threads that wait for the disk
  Level log_level = Level::Info;
  bool log_json = true;
  std::function<void(const std::string& url)> listening;  // called once, when requests are answered
};

/// Runs until SIGTERM or SIGINT (a second one ends it at once), then drains. Logs to stderr. Returns the exit status. Errors: BadUse
/// (address, folders, a public address without tokens), Unavailable (the data folder is in use by another server, or broken).
Result<int> serve(const FrontOptions& options);

}  // namespace lapse::serve
