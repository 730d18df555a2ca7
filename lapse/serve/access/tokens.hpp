#pragma once
// Bearer tokens: who may ask, in DATA/tokens.json. Written by `lapse token` and read by the front, each time whole (a new file, fsynced,
// renamed over the old one, under a lock); the front sees a change within a second. Only SHA-256 digests are kept: a token is shown once.

#include <chrono>
#include <filesystem>
#include <lapse/base/error.hpp>
#include <lapse/jobs/job.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::serve {

struct Token {
  std::string id;      // short, public: to revoke it by
  std::string owner;   // 1 to 64 of A-Z a-z 0-9 . _ -
  std::string digest;  // SHA-256 of the token, hexadecimal
  jobs::Time created{};
  std::optional<jobs::Time> expires;
};

class Tokens {
 public:
  explicit Tokens(std::filesystem::path data);
  /// The new token, "lapse_" and 43 characters of 32 random bytes (base64url). Errors: BadInput (owner), Unavailable.
  Result<std::pair<Token, std::string>> create(const std::string& owner, std::optional<Duration> valid);
  Result<std::vector<Token>> list();
  /// Error: NotFound.
  Result<void> revoke(const std::string& id);
  /// What is known of this token, now; nothing: it is nobody's, or it has expired. Reads the file again when it has changed (looked at once
  /// a second). Compares digests in constant time.
  std::optional<Token> find(std::string_view token);
  /// Is the token of this id there, and its time has not passed?
  bool valid(std::string_view id);
  bool any();
  /// Why the file can't be used, as last seen by those three: nobody gets in then. For the log and for readiness.
  const std::optional<Error>& problem() const noexcept { return problem_; }

 private:
  void refresh();

  std::filesystem::path file_;
  std::vector<Token> tokens_;
  std::optional<Error> problem_;
  std::filesystem::file_time_type read_{};
  std::chrono::steady_clock::time_point looked_{};
};

}  // namespace lapse::serve
