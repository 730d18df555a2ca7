#include <lapse/serve/api/job_document.hpp>

#include <nlohmann/json.hpp>

namespace lapse::serve::api {

Result<Seen> see(jobs::JobStore& store, const std::string& owner, const std::string& id) {
  LAPSE_TRY(auto job, store.get(owner, id));
  std::optional<std::uint64_t> position;
  if (job.state == jobs::State::Queued) {
    LAPSE_TRY(position, store.position(job.number));
  }
  return Seen{std::move(job), position};
}

std::string describe(const Services& services, const Seen& seen) {
  std::string document = jobs::describe(seen.job);
  if (!seen.position) return document;
  const auto estimate = services.dispatcher.estimate(seen.job.spec.model, *seen.position);
  nlohmann::ordered_json queue{{"position", *seen.position}, {"estimated_seconds", nullptr}};
  if (estimate) queue["estimated_seconds"] = std::chrono::duration<double>(*estimate).count();
  auto whole = nlohmann::ordered_json::parse(document);
  whole["queue"] = std::move(queue);
  return whole.dump();
}

net::awaitable<void> tell(Services& services, http::Exchange& exchange, http::Response response, const jobs::Job& job) {
  co_await exchange.respond(std::move(response));
  if (!final(job.state) || job.trace.delivered || exchange.method() == "HEAD") co_return;
  std::vector<std::string> told{job.spec.id};
  co_await note_delivered(services, exchange.owner(), std::move(told));
}

net::awaitable<void> note_delivered(Services& services, const std::string& owner, std::vector<std::string> ids) {
  const auto done = co_await on(services.pool, [&] { return services.store.delivered(owner, ids); });
  if (!done) services.observer.log(Level::Warning, "a delivery could not be noted", {{"reason", done.error().message}});
}

}  // namespace lapse::serve::api
