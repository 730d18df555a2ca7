#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <lapse/jobs/disk.hpp>
#include <lapse/serve/access/secrets.hpp>
#include <lapse/serve/access/sessions.hpp>

namespace lapse::serve {
namespace {

constexpr std::size_t kSecret = 32;  // bytes

Result<std::string> read_secret(const std::string& path) {
  LAPSE_TRY(const jobs::File file, jobs::open_file(path, O_RDONLY));
  std::string secret(kSecret + 1, '\0');
  const ssize_t read = ::read(*file, secret.data(), secret.size());
  if (read != static_cast<ssize_t>(kSecret)) {
    return fail(ErrorCode::Unavailable, fmt::format("{} is damaged", path), "delete it: a new one is made, and everybody signs in again");
  }
  secret.resize(kSecret);
  return secret;
}

Result<std::string> make_secret(const std::string& path) {
  const std::string secret = random_bytes(kSecret), fresh = path + ".new";
  {
    LAPSE_TRY(const jobs::File file, jobs::open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC));
    LAPSE_CHECK(jobs::write_all(file, secret, fresh));
    if (::fsync(*file) != 0) return tl::unexpected(jobs::disk_error("made durable", fresh, errno));
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return tl::unexpected(jobs::disk_error("written", path, errno));
  LAPSE_CHECK(jobs::sync_path(std::filesystem::path(path).parent_path().string()));
  return secret;
}

}  // namespace

Result<Sessions> Sessions::open(const std::filesystem::path& data) {
  const std::string path = (data / "secret").string();
  LAPSE_TRY(const std::string secret, ::access(path.c_str(), F_OK) == 0 ? read_secret(path) : make_secret(path));
  Sessions sessions;
  std::copy(secret.begin(), secret.end(), sessions.secret_.begin());
  return sessions;
}

std::string Sessions::mac(std::string_view purpose, std::string_view message) const {
  const std::string key = hmac_sha256({reinterpret_cast<const char*>(secret_.data()), secret_.size()}, purpose);
  return hmac_sha256(key, message);
}

std::string Sessions::make(const Session& session, jobs::Time expires) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
  const std::string text = fmt::format("{}\n{}\n{}", session.owner, session.token, seconds);
  return base64url(text) + '.' + base64url(mac("session", text));
}

std::optional<Session> Sessions::read(std::string_view cookie, jobs::Time now) const {
  const std::size_t dot = cookie.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto text = parse_base64url(cookie.substr(0, dot)), given = parse_base64url(cookie.substr(dot + 1));
  if (!text || !given || !same_secret(*given, mac("session", *text))) return std::nullopt;
  const std::size_t owner_end = text->find('\n'), token_end = text->rfind('\n');
  if (owner_end == token_end) return std::nullopt;  // of an older form
  std::int64_t seconds = 0;
  std::from_chars(text->data() + token_end + 1, text->data() + text->size(), seconds);
  if (jobs::Time{std::chrono::seconds{seconds}} <= now) return std::nullopt;
  return Session{text->substr(0, owner_end), text->substr(owner_end + 1, token_end - owner_end - 1)};
}

std::string Sessions::new_anonymous_owner() { return "anon-" + base64url(random_bytes(16)); }

std::string Sessions::sign(std::string_view purpose, std::string_view message) const { return hex(mac(purpose, message)); }

}  // namespace lapse::serve
