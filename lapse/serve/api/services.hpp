#pragma once
// What the handlers of the interface work with, and how they are made known to the router. docs/serving.md is the contract.
//
// Threads: the front's one; what waits for a disk runs on the pool. Lifetime: longer than every connection's.

#include <lapse/serve/http/exchange.hpp>

#include <functional>
#include <lapse/jobs/blob_store.hpp>
#include <lapse/jobs/job_store.hpp>
#include <lapse/serve/access/sessions.hpp>
#include <lapse/serve/api/event_hub.hpp>
#include <lapse/serve/dispatch/dispatcher.hpp>
#include <lapse/serve/observe/observer.hpp>
#include <optional>
#include <string>

namespace lapse::serve::api {

/// What keeps the server from taking new work; the front finds it out, once a second.
struct Condition {
  bool stopping = false;
  std::optional<Error> trouble;  // no new jobs: the store can't be written or is damaged, the disk is nearly full, nobody can get in
};

struct Services {
  net::thread_pool& pool;
  jobs::JobStore& store;
  jobs::BlobStore& blobs;
  Dispatcher& dispatcher;
  Observer& observer;
  const Sessions& sessions;
  EventHub& hub;
  const Condition& condition;
  std::function<std::string()> exposition;  // of the metrics, as Prometheus reads them
  std::uint64_t max_body = 0;
  bool anonymous = true, private_webhooks = false;
  Duration blob_grace{};
  std::function<bool(const std::string& token)> token_valid;  // still, by its id; for what lasts longer than a request
};

/// Work that ends in one answer.
using Work = net::awaitable<http::Response> (*)(Services&, http::Exchange&);
void add(http::Router& router, Services& services, std::string method, std::string pattern, Work work);
/// The same for /v2/models/{model}SUFFIX and /v2/models/{model}/versions/{version}SUFFIX.
void add_of_model(http::Router& router, Services& services, std::string method, const std::string& suffix, Work work);

http::Response json(unsigned status, std::string body);

void add_server(http::Router& router, Services& services);   // health, server metadata, metrics, the OpenAPI document
void add_models(http::Router& router, Services& services);   // metadata, configuration, statistics
void add_infer(http::Router& router, Services& services);    // now and later
void add_jobs(http::Router& router, Services& services);     // what becomes of them
void add_results(http::Router& router, Services& services);  // downloads: inputs, too
void add_events(http::Router& router, Services& services);
void add_session(http::Router& router, Services& services);  // cookies, the webhooks' key

/// All of them.
void add_routes(http::Router& router, Services& services);

}  // namespace lapse::serve::api
