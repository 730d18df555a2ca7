// Inference: now (the answer is the result), or later (the answer is a job, which is durable by then).

#include <fmt/format.h>

#include <algorithm>
#include <lapse/serve/api/intake.hpp>
#include <lapse/serve/api/job_document.hpp>
#include <lapse/serve/api/job_name.hpp>
#include <lapse/serve/http/text.hpp>
#include <lapse/serve/webhook/target.hpp>
#include <span>

namespace lapse::serve::api {
namespace {

using Clock = std::chrono::steady_clock;

// "Prefer: respond-async, wait=10" (RFC 7240).
bool prefers_later(const http::Exchange& exchange) {
  std::string_view rest = exchange.header("Prefer").value_or("");
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    const std::string_view preference = rest.substr(0, comma);
    if (http::same_letters(http::trim(preference.substr(0, preference.find(';'))), "respond-async")) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

// Its standard to be has it in quotation marks, and its users mostly without.
std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

net::awaitable<http::Response> infer_now(Services& services, http::Exchange& exchange, std::string model, std::string version) {
  const auto status = services.dispatcher.model(model, version);
  if (status && status->settings.photo) {
    co_return http::refuse({ErrorCode::Unsupported, fmt::format("model '{}' takes picture files, as jobs", model),
                            fmt::format("PUT /v2/jobs/{{id}}?model={}", model)});
  }
  auto intake = co_await take_in(services, exchange, model, version, Keep{});
  if (!intake) co_return std::move(intake.error());
  auto ticket = std::make_shared<Ticket>();
  exchange.on_gone([ticket] { ticket->abandon(); });
  DirectRequest request;
  request.model = model;
  request.version = std::move(version);
  request.body = std::move(intake->body);
  request.header_length = intake->header_length;
  request.priority = intake->priority;
  request.timeout = intake->timeout;
  request.owner = exchange.owner();
  request.rows = intake->rows;
  auto reply = co_await services.dispatcher.infer(std::move(request), ticket);
  if (!reply) co_return refuse_busy(services, reply.error(), model);
  http::Response response = json(200, std::move(reply->body));
  response.content_type = std::move(reply->content_type);
  if (reply->header_length > 0) response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(reply->header_length));
  co_return response;
}

// On the pool.
Result<jobs::Submitted> store(Services& services, const Intake& intake, jobs::JobSpec& spec) {
  spec.input.content_type = intake.content_type;
  spec.input.header_length = intake.header_length;
  spec.parameters = intake.parameters;
  spec.priority = intake.priority;
  if (intake.timeout) spec.deadline = jobs::system_now() + *intake.timeout;
  LAPSE_TRY(spec.input.blob, services.blobs.put(std::as_bytes(std::span{intake.body})));
  spec.digest = digest_of(spec, intake.timeout);
  return services.store.submit(spec);
}

net::awaitable<http::Response> infer_later(Services& services, http::Exchange& exchange, std::string id, std::string model,
                                           std::string version, Clock::time_point began) {
  jobs::JobSpec spec;
  spec.owner = exchange.owner();
  spec.id = std::move(id);
  spec.model = std::move(model);
  spec.version = std::move(version);
  spec.label = exchange.query("label").value_or("");
  const auto named = check_names(spec);
  if (!named) co_return http::refuse(named.error());
  spec.webhook = exchange.query("webhook").value_or("");
  if (!spec.webhook.empty()) {
    const auto target = webhook::parse_target(spec.webhook, services.private_webhooks);
    if (!target) co_return http::refuse(target.error());
  }

  std::optional<Result<jobs::Submitted>> submitted;
  Keep keep = [&](const Intake& intake) { submitted = store(services, intake, spec); };
  const auto intake = co_await take_in(services, exchange, spec.model, spec.version, std::move(keep));
  if (!intake) co_return intake.error();
  if (!*submitted) co_return refuse_busy(services, submitted->error(), "");
  const jobs::Job& job = (*submitted)->job;
  const bool created = (*submitted)->created;
  if (created) services.observer.accepted(job, Clock::now() - began);
  http::Response response = json(!created && final(job.state) ? 200 : 202, jobs::describe(job));
  response.headers.emplace_back("Location", "/v2/jobs/" + spec.id);
  // For people who wait: a browser can't tell when the last byte of an upload has gone.
  const std::chrono::duration<double, std::milli> stored = Clock::now() - intake->received;
  response.headers.emplace_back("Server-Timing", fmt::format("store;dur={:.3f}", stored.count()));
  if (prefers_later(exchange)) response.headers.emplace_back("Preference-Applied", "respond-async");
  co_return response;
}

net::awaitable<http::Response> infer(Services& services, http::Exchange& exchange) {
  const auto began = Clock::now();
  std::string model = exchange.part("model"), version = exchange.part("version");
  const bool later = prefers_later(exchange);
  std::string id;
  if (later) {
    const auto key = exchange.header("Idempotency-Key");
    id = key ? std::string(unquoted(*key)) : new_job_name();
  }
  auto work = later ? infer_later(services, exchange, std::move(id), std::move(model), std::move(version), began)
                    : infer_now(services, exchange, std::move(model), std::move(version));
  co_return co_await std::move(work);
}

net::awaitable<http::Response> put(Services& services, http::Exchange& exchange) {
  const auto began = Clock::now();
  const std::string id = exchange.part("id");
  const auto model = exchange.query("model");
  if (!model || model->empty()) {
    co_return http::refuse({ErrorCode::BadInput, "the query names no model", fmt::format("PUT /v2/jobs/{}?model=NAME", id)});
  }
  co_return co_await infer_later(services, exchange, id, *model, exchange.query("version").value_or(""), began);
}

}  // namespace

void add_infer(http::Router& router, Services& services) {
  add_of_model(router, services, "POST", "/infer", infer);
  add(router, services, "PUT", "/v2/jobs/{id}", put);
}

}  // namespace lapse::serve::api
