#include <lapse/serve/webhook/target.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>
#include <optional>

namespace lapse::serve::webhook {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t kLongest = 2000;
constexpr std::string_view kHint = "such as https://example.org/done";

struct Range4 {
  std::uint32_t first;
  int bits;
};
// Special-purpose IPv4 addresses: this network, private, shared, loopback, link-local, protocol assignments, documentation, 6to4 relays,
// benchmarks, multicast, reserved and broadcast.
constexpr std::array kSpecial4{Range4{0x00000000, 8},  Range4{0x0a000000, 8},  Range4{0x64400000, 10}, Range4{0x7f000000, 8},
                               Range4{0xa9fe0000, 16}, Range4{0xac100000, 12}, Range4{0xc0000000, 24}, Range4{0xc0000200, 24},
                               Range4{0xc0586300, 24}, Range4{0xc0a80000, 16}, Range4{0xc6120000, 15}, Range4{0xc6336400, 24},
                               Range4{0xcb007100, 24}, Range4{0xe0000000, 3}};

bool is_public(const ip::address_v4& address) {
  const std::uint32_t value = address.to_uint();
  return std::ranges::none_of(kSpecial4, [&](const Range4& range) { return (value ^ range.first) >> (32 - range.bits) == 0; });
}

// Of IPv6 only global unicast, 2000::/3, less what leads elsewhere: Teredo and other assignments, documentation, 6to4; and what is an IPv4
// address in another dress by what that one is.
bool is_public(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  const auto starts = [&](std::initializer_list<unsigned char> prefix) { return std::equal(prefix.begin(), prefix.end(), bytes.begin()); };
  const auto last4 = [&] { return ip::address_v4{{{bytes[12], bytes[13], bytes[14], bytes[15]}}}; };
  if (address.is_v4_mapped()) return is_public(last4());
  if (starts({0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public(last4());  // NAT64
  if ((bytes[0] & 0xe0) != 0x20) return false;
  const bool assigned = bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 0x02;
  return !assigned && !starts({0x20, 0x01, 0x0d, 0xb8}) && !starts({0x20, 0x02}) && !starts({0x3f, 0xff});
}

auto bad(std::string_view what) { return fail(ErrorCode::BadInput, fmt::format("the webhook's URL {}", what), std::string(kHint)); }

bool is_plain(char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' && c != '`'; }

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool is_name(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

// What a resolver would take for an address although it isn't written as one ("127.1", "0x7f000001", "2130706433").
bool is_odd_address(std::string_view host) {
  const auto last = host.substr(host.rfind('.') + 1);
  return last.find_first_not_of("0123456789") == std::string_view::npos || last.starts_with("0x") || last.starts_with("0X");
}

}  // namespace

bool is_public(const ip::address& address) { return address.is_v4() ? is_public(address.to_v4()) : is_public(address.to_v6()); }

Result<Target> parse_target(std::string_view url, bool private_allowed) {
  if (url.size() > kLongest) return bad(fmt::format("is longer than {} characters", kLongest));
  if (!std::ranges::all_of(url, is_plain)) return bad("holds characters that are not allowed there");
  Target target;
  target.tls = url.starts_with("https://");
  if (!target.tls && !url.starts_with("http://")) return bad("does not begin with http:// or https://");
  target.port = target.tls ? 443 : 80;
  url.remove_prefix(target.tls ? 8 : 7);
  url = url.substr(0, url.find('#'));
  const auto end = std::min(url.find_first_of("/?"), url.size());
  const std::string_view authority = url.substr(0, end);
  if (!url.substr(end).starts_with('/')) target.path = std::string(1, '/');
  target.path += url.substr(end);
  target.authority = authority;
  if (authority.find('@') != std::string_view::npos) return bad("holds a user's name: that is not sent");

  const bool bracketed = authority.starts_with('[');
  const auto host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos) return bad("holds no host");
  target.host = authority.substr(bracketed ? 1 : 0, bracketed ? host_end - 1 : host_end);
  const auto rest = host_end == std::string_view::npos ? std::string_view{} : authority.substr(host_end + (bracketed ? 1 : 0));
  if (!rest.empty()) {
    const auto port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
    if (!port) return bad("holds no port from 1 to 65535 behind its host");
    target.port = *port;
  }
  if (target.host.empty()) return bad("holds no host");

  boost::system::error_code no_address;
  const auto address = ip::make_address(target.host, no_address);
  if (no_address ? bracketed || is_odd_address(target.host) : bracketed && !address.is_v6())
    return bad("holds an address that is not written as one");
  if (no_address && !is_name(target.host)) return bad("holds no host");
  if (!no_address && !private_allowed && !is_public(address)) {
    return fail(ErrorCode::Forbidden, fmt::format("the webhook's address {} is not a public one", target.host),
                "lapse serve --allow-private-webhooks allows it");
  }
  return target;
}

}  // namespace lapse::serve::webhook
