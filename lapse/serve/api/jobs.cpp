// What becomes of jobs: look, list, cancel or delete, try again.

#include <charconv>
#include <lapse/serve/api/intake.hpp>
#include <lapse/serve/api/job_document.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve::api {
namespace {

constexpr std::size_t kPage = 100, kLargestPage = 1000;
constexpr std::chrono::seconds kWorkersWord{2};  // how long DELETE waits for it

net::awaitable<void> get(Services& services, http::Exchange& exchange) {
  const auto seen = co_await on(services.pool, [&] { return see(services.store, exchange.owner(), exchange.part("id")); });
  http::Response response = seen ? json(200, describe(services, *seen)) : http::refuse(seen.error());
  auto answer = seen ? tell(services, exchange, std::move(response), seen->job) : exchange.respond(std::move(response));
  co_await std::move(answer);
}

struct Listing {
  jobs::Filter filter;
  std::size_t limit = kPage;
  std::optional<std::uint64_t> before;
};

Result<Listing> read_listing(const http::Exchange& exchange) {
  Listing listing;
  const auto number = [&](const char* name, std::uint64_t most) -> Result<std::optional<std::uint64_t>> {
    const auto text = exchange.query(name);
    if (!text) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size() || value == 0 || value > most) {
      return fail(ErrorCode::BadInput, std::string(name) + " is not a number from 1 to " + std::to_string(most));
    }
    return value;
  };
  if (const auto state = exchange.query("state")) {
    LAPSE_TRY(listing.filter.state, jobs::parse_state(*state));
  }
  listing.filter.model = exchange.query("model").value_or("");
  LAPSE_TRY(const auto limit, number("limit", kLargestPage));
  if (limit) listing.limit = *limit;
  LAPSE_TRY(listing.before, number("before", INT64_MAX));
  return listing;
}

net::awaitable<http::Response> list(Services& services, http::Exchange& exchange) {
  const auto listing = read_listing(exchange);
  if (!listing) co_return http::refuse(listing.error());
  const auto page =
      co_await on(services.pool, [&] { return services.store.list(exchange.owner(), listing->filter, listing->limit, listing->before); });
  if (!page) co_return http::refuse(page.error());
  std::string body = R"({"jobs":[)";
  for (const jobs::Job& job : page->jobs) {
    if (body.back() != '[') body += ',';
    body += jobs::describe(job);
  }
  body += R"(],"next":)" + (page->next ? std::to_string(*page->next) : "null") + "}";
  co_return json(200, std::move(body));
}

net::awaitable<void> remove(Services& services, http::Exchange& exchange) {
  const std::string id = exchange.part("id");
  struct Outcome {
    std::size_t deleted = 0, shared = 0, kept = 0;
  };
  const auto forget = [&]() -> Result<Outcome> {
    LAPSE_TRY(const auto removed, services.store.remove(exchange.owner(), id));
    const auto referenced = [&](const jobs::BlobId& blob) { return services.store.referenced(blob); };
    // What was put a moment ago stays for now: another job may be about to refer to it. It is collected as litter later.
    LAPSE_TRY(const auto collected, services.blobs.remove_unreferenced(removed.released, services.blob_grace, referenced));
    return Outcome{collected.blobs, removed.shared, removed.released.size() - collected.blobs};
  };
  const auto outcome = co_await on(services.pool, forget);
  http::Response response;
  if (!outcome) {
    response = http::refuse(outcome.error());
  } else {
    const nlohmann::ordered_json blobs{{"deleted", outcome->deleted}, {"shared", outcome->shared}, {"kept", outcome->kept}};
    const nlohmann::ordered_json document{{"deleted", id}, {"blobs", blobs}};
    response = json(200, document.dump());
  }
  co_await exchange.respond(std::move(response));
}

net::awaitable<void> cancel(Services& services, http::Exchange& exchange) {
  const std::string id = exchange.part("id");
  EventHub::Subscription changes{services.hub, exchange.owner(), co_await net::this_coro::executor};
  auto job = co_await on(services.pool, [&] { return services.store.cancel(exchange.owner(), id); });
  if (job && job->cancel_requested) services.dispatcher.cancelled(job->number);
  const auto until = std::chrono::steady_clock::now() + kWorkersWord;
  while (job && !final(job->state)) {
    const bool woken = co_await changes.wait(until);
    if (!woken || services.hub.closed()) break;
    job = co_await on(services.pool, [&] { return services.store.get(exchange.owner(), id); });
  }
  http::Response response = job ? json(final(job->state) ? 200 : 202, jobs::describe(*job)) : http::refuse(job.error());
  auto answer = job ? tell(services, exchange, std::move(response), *job) : exchange.respond(std::move(response));
  co_await std::move(answer);
}

// With only=live a job that has ended meanwhile stays: who wants to stop it does not want to lose it.
net::awaitable<void> cancel_or_remove(Services& services, http::Exchange& exchange) {
  const auto only = exchange.query("only");
  if (only && *only != "live") {
    http::Response refused = http::refuse({ErrorCode::BadInput, "only is not live", "leave it out to delete a job that has ended"});
    co_await exchange.respond(std::move(refused));
    co_return;
  }
  const auto job = co_await on(services.pool, [&] { return services.store.get(exchange.owner(), exchange.part("id")); });
  http::Response response = job ? json(200, jobs::describe(*job)) : http::refuse(job.error());
  auto work = !job                 ? exchange.respond(std::move(response))
              : !final(job->state) ? cancel(services, exchange)
              : only               ? tell(services, exchange, std::move(response), *job)
                                   : remove(services, exchange);
  co_await std::move(work);
}

net::awaitable<http::Response> retry(Services& services, http::Exchange& exchange) {
  const auto job = co_await on(services.pool, [&] { return services.store.retry(exchange.owner(), exchange.part("id")); });
  if (!job) co_return refuse_busy(services, job.error(), "");
  http::Response response = json(202, jobs::describe(*job));
  response.headers.emplace_back("Location", "/v2/jobs/" + job->spec.id);
  co_return response;
}

}  // namespace

void add_jobs(http::Router& router, Services& services) {
  add(router, services, "GET", "/v2/jobs", list);
  router.add("GET", "/v2/jobs/{id}", [&services](http::Exchange& exchange) { return get(services, exchange); });
  router.add("DELETE", "/v2/jobs/{id}", [&services](http::Exchange& exchange) { return cancel_or_remove(services, exchange); });
  add(router, services, "POST", "/v2/jobs/{id}/retry", retry);
}

}  // namespace lapse::serve::api
