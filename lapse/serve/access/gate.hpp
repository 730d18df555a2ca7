#pragma once
// Who asks, and whether from a place that may: called for every request before its handler.
//
// Owners. `Authorization: Bearer TOKEN` (lapse token) → the token's owner. The cookie `lapse_session` → the owner it was given for (by
// POST /v2/session, with a token, or without one in the anonymous mode); an EventSource can't send a header, but it sends cookies. A cookie
// is worth what it was given for: nothing once its token is revoked or expired, nor in the token mode when it was given without one. In the
// anonymous mode a request with neither belongs to the owner "local". In the token mode it is 401, but for health, the OpenAPI document
// and the page, which asks for the token.
// A token or cookie that is given and not valid is always 401.
//
// Hosts and origins. The Host header must name this server (loopback names with the listening port, and --host names): DNS rebinding. An
// Origin that is not this server's own is 403 for every method, as is Sec-Fetch-Site: cross-site on anything but GET of health and
// of the OpenAPI document: CSRF on loopback. A link may lead to the page from anywhere.
//
// Threads: the front's one.

#include <lapse/serve/http/server.hpp>

#include <lapse/serve/access/sessions.hpp>
#include <lapse/serve/access/tokens.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lapse::serve {

struct GateOptions {
  bool anonymous = true;           // false: tokens only
  std::vector<std::string> hosts;  // "127.0.0.1:8000", "photos.example.org": what Host may be, besides the loopback names
  std::uint16_t port = 0;          // that is listened on
  std::vector<std::string> page;   // the paths of its files
};

class Gate {
 public:
  Gate(GateOptions options, Tokens& tokens, const Sessions& sessions);
  /// Sets the exchange's owner, or says how the request is refused.
  std::optional<http::Response> operator()(http::Exchange& exchange, const http::Router::Match& match);

 private:
  bool is_page(std::string_view path) const;
  bool is_open(std::string_view path) const;
  bool is_ours(std::string_view authority) const;
  std::optional<http::Response> check_origin(const http::Exchange& exchange, std::string_view host) const;
  std::optional<http::Response> identify(http::Exchange& exchange);

  GateOptions options_;
  Tokens& tokens_;
  const Sessions& sessions_;
};

}  // namespace lapse::serve
