// The server itself: is it well, what is it, what does it count, what does its interface look like.

#include <algorithm>
#include <lapse/base/version.hpp>
#include <lapse/serve/api/openapi.hpp>
#include <lapse/serve/api/services.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve::api {
namespace {

using Json = nlohmann::ordered_json;

net::awaitable<http::Response> metadata(Services&, http::Exchange&) {
  const Json document{{"name", "lapse"},
                      {"version", std::string(version())},
                      {"extensions", {"binary_tensor_data", "model_configuration", "statistics", "schedule_policy", "async_jobs"}}};
  co_return json(200, document.dump());
}

net::awaitable<http::Response> live(Services&, http::Exchange&) { co_return json(200, R"({"live":true})"); }

net::awaitable<http::Response> ready(Services& services, http::Exchange&) {
  Json reasons = Json::array();
  if (services.condition.stopping) reasons.push_back("the server is stopping");
  if (services.condition.trouble) reasons.push_back(services.condition.trouble->message);
  // Until the models' folder has been looked through, of no name can be said that it is not there.
  const auto nobody = services.dispatcher.model("", "");
  if (!nobody && nobody.error().code == ErrorCode::Unavailable) reasons.push_back(nobody.error().message);
  for (const ModelStatus& model : services.dispatcher.models()) {
    if (model.state == ModelState::Ready) continue;
    const std::string what = model.state == ModelState::Loading ? "is being loaded" : "can't be used: " + model.reason;
    reasons.push_back("model " + model.name + " version " + model.version + " " + what);
  }
  const bool is_ready = reasons.empty();
  const Json document{{"ready", is_ready}, {"reasons", std::move(reasons)}};
  co_return json(is_ready ? 200 : 503, document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

net::awaitable<http::Response> metrics(Services& services, http::Exchange&) {
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = services.exposition();
  co_return response;
}

net::awaitable<http::Response> openapi(Services&, http::Exchange&) { co_return json(200, std::string(openapi_document())); }

}  // namespace

void add_server(http::Router& router, Services& services) {
  add(router, services, "GET", "/v2", metadata);
  add(router, services, "GET", "/v2/health/live", live);
  add(router, services, "GET", "/v2/health/ready", ready);
  add(router, services, "GET", "/metrics", metrics);
  add(router, services, "GET", "/openapi.json", openapi);
}

}  // namespace lapse::serve::api
