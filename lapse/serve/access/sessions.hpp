#pragma once
// Browser sessions: a signed cookie and nothing stored. value = base64url(owner '\n' token's id '\n' expiry seconds) '.'
// base64url(HMAC-SHA-256), keyed with DATA/secret (32 random bytes, made at the first start, mode 0600), so a session outlives a restart of
// the server. A session that a token was shown for ends with it: the gate looks whether that token is still valid.

#include <array>
#include <filesystem>
#include <lapse/base/error.hpp>
#include <lapse/jobs/job.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lapse::serve {

struct Session {
  std::string owner;
  std::string token;  // the id of the token that it was given for; empty: it was given to anybody, by the anonymous mode
};

class Sessions {
 public:
  /// Error: Unavailable when the secret can't be read or made.
  static Result<Sessions> open(const std::filesystem::path& data);
  /// The cookie's value.
  std::string make(const Session& session, jobs::Time expires) const;
  /// Nothing: forged, malformed or expired.
  std::optional<Session> read(std::string_view cookie, jobs::Time now) const;
  /// "anon-" and 22 random characters.
  static std::string new_anonymous_owner();
  /// HMAC-SHA-256 of a message under a key derived from the secret and `purpose`, hexadecimal: the webhooks' signature.
  std::string sign(std::string_view purpose, std::string_view message) const;

 private:
  std::string mac(std::string_view purpose, std::string_view message) const;

  std::array<unsigned char, 32> secret_{};
};

}  // namespace lapse::serve
