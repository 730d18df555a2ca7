#pragma once
// One POST to one webhook.

#include <lapse/serve/async.hpp>

#include <lapse/base/error.hpp>
#include <string>
#include <utility>
#include <vector>

namespace lapse::serve::webhook {

struct Message {
  Message() = default;  // no aggregate: lapse/serve/async.hpp says why
  std::string url, body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Done when the receiver answered 2xx. Errors, with the reason in one line: Forbidden (where it leads), Unavailable (anything else).
net::awaitable<Result<void>> deliver(const Message& message, bool private_allowed);

/// Lapse-Timestamp, Lapse-Signature and Lapse-Delivery, as docs/serving.md describes them.
std::vector<std::pair<std::string, std::string>> signature(const std::string& secret, const std::string& body, std::int64_t unix_seconds,
                                                           std::uint64_t number);

}  // namespace lapse::serve::webhook
