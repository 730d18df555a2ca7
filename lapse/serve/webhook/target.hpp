#pragma once
// Where a webhook may lead: not into the network that the server stands in, as whoever hands in a job would then use the server to reach
// what they can't reach themselves.
//
// Looked at twice: what is written, when the job is handed in; and what the name resolves to, when the message is sent, to exactly the
// address that was looked at.

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <lapse/base/error.hpp>
#include <string>
#include <string_view>

namespace lapse::serve::webhook {

struct Target {
  bool tls = false;
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 80;
  std::string path;       // with the query; at least "/"
  std::string authority;  // the Host header
};

/// http or https, no user and password, at most 2,000 characters. Error: BadInput; Forbidden for an address that is not public.
Result<Target> parse_target(std::string_view url, bool private_allowed);

/// Not loopback, private, link-local, shared, multicast or otherwise special (the registries of RFC 6890).
bool is_public(const boost::asio::ip::address& address);

}  // namespace lapse::serve::webhook
