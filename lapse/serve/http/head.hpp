#pragma once
// The head of a request: request line and header fields, read by Beast and then held to what a server has to insist on so that nobody can
// understand the same bytes in another way (RFC 9112, sections 3, 5, 6 and 11.2).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lapse::serve::http {

struct Head {
  std::string method, path, query;  // as they were sent
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<std::pair<std::string, std::string>> fields;
  bool version_1_1 = true, keep_alive = false;
  std::optional<std::uint64_t> length;  // Content-Length
  bool chunked = false;
  bool expects_continue = false;

  /// The first of this name, in any case of letters.
  std::optional<std::string_view> field(std::string_view name) const noexcept;
};

/// Why a request can't be read any further: its connection is closed after the answer.
struct Refusal {
  unsigned status = 400;
  std::string message, hint;
};

/// `bytes` up to and with the empty line. Either head is filled in, or a refusal comes back.
std::optional<Refusal> parse_head(std::string_view bytes, Head& head);

/// Bytes of a head that is not complete yet: is it certain that nothing good can come? (Another protocol, lines without a return.) So that
/// whoever speaks TLS to a plain port is told at once and not after the time-out.
std::optional<Refusal> hopeless(std::string_view bytes);

inline constexpr std::size_t kMaxTarget = 8 * 1024;  // RFC 9112 asks for at least 8,000 octets

}  // namespace lapse::serve::http
