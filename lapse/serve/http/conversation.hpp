#pragma once
// A connection's life: request, handler, answer, and again until one side has enough.

#include <lapse/serve/http/body.hpp>
#include <lapse/serve/http/server.hpp>
#include <lapse/serve/http/wire.hpp>
#include <memory>
#include <string>

namespace lapse::serve::http {

/// What all connections of a server have in common; lives as long as the last of them.
struct Common {
  net::thread_pool& pool;
  ServerOptions options;
  const Router& router;
  Hooks hooks;
  Wires wires;
  BodyBudget bodies;
  bool stopping = false;  // no new request

  void report(std::string_view line) const {
    if (hooks.trouble) hooks.trouble(line);
  }
};

/// Until the connection is closed. Throws nothing but what memory's end throws; the wire closes itself then.
net::awaitable<void> converse(std::shared_ptr<Common> common, std::shared_ptr<Wire> wire, std::string remote);

/// For one connection too many: 503, and closed.
net::awaitable<void> turn_away(std::shared_ptr<Common> common, std::shared_ptr<Wire> wire);

}  // namespace lapse::serve::http
