#pragma once
// One GET over plain HTTP, for `lapse top`. Blocks, at most `timeout`.

#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <string>

namespace lapse::serve {

struct Address {
  std::string host, port, authority;  // "::1", "8000", "[::1]:8000"
};
/// "http://HOST[:PORT][/]". Error: BadUse, also for https: TLS is a proxy's.
Result<Address> parse_address(const std::string& url);

/// The body of a 200. Errors: Unavailable (nobody there, too slow), Unauthorized, Forbidden, BadInput (another status, not HTTP).
Result<std::string> fetch(const Address& address, const std::string& target, const std::string& token, Duration timeout);

}  // namespace lapse::serve
