// What a browser needs: a cookie, as its EventSource can't send a token. And the key that a webhook's receiver checks signatures with.

#include <fmt/format.h>

#include <lapse/jobs/document.hpp>
#include <lapse/serve/api/services.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve::api {
namespace {

constexpr std::chrono::seconds kValid{30 * 24 * 3600};

// Behind a proxy that speaks TLS the cookie must not travel without it.
std::string cookie(const http::Exchange& exchange, std::string_view value, std::chrono::seconds age) {
  const bool secure = exchange.header("X-Forwarded-Proto") == "https";
  return fmt::format("lapse_session={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", value, age.count(), secure ? "; Secure" : "");
}

net::awaitable<http::Response> begin(Services& services, http::Exchange& exchange) {
  // Who comes without anything to the anonymous mode is "local", as programs on this machine are; a browser gets an owner of its own.
  const bool nobody = services.anonymous && exchange.owner() == "local" && !exchange.header("Authorization");
  const std::string owner = nobody ? Sessions::new_anonymous_owner() : exchange.owner();
  const jobs::Time expires = jobs::system_now() + kValid;
  const nlohmann::ordered_json document{{"owner", owner}, {"expires", jobs::rfc3339(expires)}};
  http::Response response = json(200, document.dump());
  response.headers.emplace_back("Set-Cookie", cookie(exchange, services.sessions.make({owner, exchange.token()}, expires), kValid));
  co_return response;
}

net::awaitable<http::Response> end(Services&, http::Exchange& exchange) {
  http::Response response = json(200, R"({"owner":null})");
  response.headers.emplace_back("Set-Cookie", cookie(exchange, "", std::chrono::seconds{0}));
  co_return response;
}

net::awaitable<http::Response> webhook_secret(Services& services, http::Exchange& exchange) {
  const nlohmann::ordered_json document{{"secret", services.sessions.sign("webhook-key", exchange.owner())}};
  co_return json(200, document.dump());
}

}  // namespace

void add_session(http::Router& router, Services& services) {
  add(router, services, "POST", "/v2/session", begin);
  add(router, services, "DELETE", "/v2/session", end);
  add(router, services, "GET", "/v2/webhook-secret", webhook_secret);
}

}  // namespace lapse::serve::api
