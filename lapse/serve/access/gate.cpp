#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <lapse/serve/access/gate.hpp>
#include <lapse/serve/http/text.hpp>

namespace lapse::serve {
namespace {

constexpr std::string_view kBearer = "bearer ";

bool is_public(std::string_view path) { return path == "/v2/health/live" || path == "/v2/health/ready" || path == "/openapi.json"; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

/// "localhost", "127.0.0.1", "[::1]": what names this machine and nothing else.
bool loopback(std::string_view name) { return name == "localhost" || name == "127.0.0.1" || name == "[::1]"; }

http::Response refuse(ErrorCode code, std::string message, std::string hint) {
  return http::refuse({code, std::move(message), std::move(hint)});
}

}  // namespace

Gate::Gate(GateOptions options, Tokens& tokens, const Sessions& sessions)
    : options_(std::move(options)), tokens_(tokens), sessions_(sessions) {
  for (std::string& host : options_.hosts) host = lower(host);
}

bool Gate::is_page(std::string_view path) const { return std::ranges::find(options_.page, path) != options_.page.end(); }

bool Gate::is_open(std::string_view path) const { return is_public(path) || is_page(path); }

bool Gate::is_ours(std::string_view authority) const {
  const std::string name = lower(authority);
  if (std::ranges::find(options_.hosts, name) != options_.hosts.end()) return true;
  const std::size_t colon = name.rfind(':');
  const bool has_port = colon != std::string::npos && name.find(']', colon) == std::string::npos;
  const std::string_view host = std::string_view(name).substr(0, has_port ? colon : std::string::npos);
  const std::string_view port = has_port ? std::string_view(name).substr(colon + 1) : "80";
  return loopback(host) && port == std::to_string(options_.port);
}

std::optional<http::Response> Gate::operator()(http::Exchange& exchange, const http::Router::Match&) {
  const auto host = exchange.header("Host");
  if (!host || !is_ours(*host)) {
    return refuse(ErrorCode::Forbidden, "this server does not go by that name", "start it with --host NAME");
  }
  if (auto refused = check_origin(exchange, *host)) return refused;
  return identify(exchange);
}

// A page of somebody else's must not use a browser's way to this server.
std::optional<http::Response> Gate::check_origin(const http::Exchange& exchange, std::string_view host) const {
  if (const auto origin = exchange.header("Origin")) {
    const std::size_t scheme = origin->find("://");
    const bool http = scheme != std::string_view::npos && (origin->substr(0, scheme) == "http" || origin->substr(0, scheme) == "https");
    if (!http || lower(origin->substr(scheme + 3)) != lower(host)) {
      return refuse(ErrorCode::Forbidden, "requests from another site's pages are not answered", "");
    }
  }
  const auto site = exchange.header("Sec-Fetch-Site");
  const bool foreign = site && *site != "same-origin" && *site != "none";
  const bool looks = exchange.method() == "GET" || exchange.method() == "HEAD";
  const bool follows = exchange.header("Sec-Fetch-Mode") == "navigate" && is_page(exchange.path());
  if (foreign && !(looks && (is_public(exchange.path()) || follows))) {
    return refuse(ErrorCode::Forbidden, "requests from another site's pages are not answered", "");
  }
  return std::nullopt;
}

std::optional<http::Response> Gate::identify(http::Exchange& exchange) {
  if (const auto given = exchange.header("Authorization")) {
    const bool bearer = given->size() > kBearer.size() && http::same_letters(given->substr(0, kBearer.size()), kBearer);
    const auto token = bearer ? tokens_.find(given->substr(kBearer.size())) : std::nullopt;
    if (!token)
      return refuse(ErrorCode::Unauthorized, "this token is not known, or its time has passed", "lapse token create --owner NAME");
    exchange.identify(token->owner, token->id);
    return std::nullopt;
  }
  const auto cookies = exchange.header("Cookie");
  if (const auto cookie = cookies ? http::cookie(*cookies, "lapse_session") : std::nullopt) {
    const auto session = sessions_.read(*cookie, jobs::system_now());
    if (session && (session->token.empty() ? options_.anonymous : tokens_.valid(session->token))) {
      exchange.identify(session->owner, session->token);
      return std::nullopt;
    }
    // A browser keeps sending an old cookie; it has to be able to get a new one.
    if (exchange.path() != "/v2/session" && !is_open(exchange.path())) {
      return refuse(ErrorCode::Unauthorized, "this session is not valid, or its time has passed", "POST /v2/session");
    }
  }
  if (options_.anonymous) {
    exchange.identify("local");
    return std::nullopt;
  }
  if (is_open(exchange.path())) return std::nullopt;
  return refuse(ErrorCode::Unauthorized, "a token is needed", "Authorization: Bearer TOKEN; lapse token create --owner NAME makes one");
}

}  // namespace lapse::serve
