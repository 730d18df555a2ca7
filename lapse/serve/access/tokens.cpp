#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <lapse/jobs/disk.hpp>
#include <lapse/serve/access/secrets.hpp>
#include <lapse/serve/access/tokens.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve {
namespace {

using Json = nlohmann::json;

constexpr auto kLook = std::chrono::seconds{1};
constexpr std::size_t kLongestOwner = 64;

bool sound_owner(std::string_view owner) {
  return !owner.empty() && owner.size() <= kLongestOwner && std::ranges::all_of(owner, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

bool in_time(const Token& token) { return !token.expires || *token.expires > jobs::system_now(); }

Json to_json(const Token& token) {
  Json json{{"id", token.id}, {"owner", token.owner}, {"digest", token.digest}, {"created", token.created.time_since_epoch().count()}};
  if (token.expires) json["expires"] = token.expires->time_since_epoch().count();
  return json;
}

tl::unexpected<Error> damaged(const std::filesystem::path& file) {
  return fail(ErrorCode::Unavailable, fmt::format("{} is damaged", file.string()), "restore it, or delete it and make the tokens anew");
}

Token from_json(const Json& json) {
  Token token{json.at("id"), json.at("owner"), json.at("digest"), jobs::Time{Duration{json.at("created").get<std::int64_t>()}}, {}};
  if (json.contains("expires")) token.expires = jobs::Time{Duration{json.at("expires").get<std::int64_t>()}};
  return token;
}

Result<std::vector<Token>> read_tokens(const std::filesystem::path& file) {
  // Only "no such file" means that no token was ever made: with any other, tokens that are there would be overwritten.
  if (::access(file.c_str(), F_OK) != 0 && errno == ENOENT) return std::vector<Token>{};
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in.is_open() || in.bad()) return fail(ErrorCode::Unavailable, fmt::format("{} can't be read", file.string()), "whose file is it?");
  std::vector<Token> tokens;
  try {
    const Json document = Json::parse(text);
    for (const Json& json : document.at("tokens")) tokens.push_back(from_json(json));
  } catch (const Json::exception&) {
    return damaged(file);
  }
  const bool sound = std::ranges::all_of(tokens, [](const Token& token) { return sound_owner(token.owner); });
  if (!sound) return damaged(file);
  return tokens;
}

Result<void> write_tokens(const std::filesystem::path& file, const std::vector<Token>& tokens) {
  Json json{{"tokens", Json::array()}};
  for (const Token& token : tokens) json["tokens"].push_back(to_json(token));
  const std::string fresh = file.string() + ".new";
  {
    LAPSE_TRY(const jobs::File out, jobs::open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC));
    LAPSE_CHECK(jobs::write_all(out, json.dump(1) + "\n", fresh));
    if (::fsync(*out) != 0) return tl::unexpected(jobs::disk_error("made durable", fresh, errno));
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) return tl::unexpected(jobs::disk_error("written", file.string(), errno));
  return jobs::sync_path(file.parent_path().string());
}

/// Two `lapse token` at once take turns.
Result<jobs::File> lock(const std::filesystem::path& file) {
  const std::string path = file.string() + ".lock";
  LAPSE_TRY(jobs::File held, jobs::open_file(path, O_RDWR | O_CREAT));
  if (::flock(*held, LOCK_EX) != 0) return tl::unexpected(jobs::disk_error("locked", path, errno));
  return held;
}

}  // namespace

Tokens::Tokens(std::filesystem::path data) : file_(std::move(data) / "tokens.json") {}

Result<std::pair<Token, std::string>> Tokens::create(const std::string& owner, std::optional<Duration> valid) {
  if (!sound_owner(owner))
    return fail(ErrorCode::BadInput, fmt::format("'{}' is no name for an owner", owner), "1 to 64 of A-Z a-z 0-9 . _ -");
  LAPSE_CHECK(jobs::make_folder(file_.parent_path().string()));
  LAPSE_TRY(const jobs::File held, lock(file_));
  LAPSE_TRY(auto tokens, read_tokens(file_));
  const std::string secret = "lapse_" + base64url(random_bytes(32));
  Token token{hex(random_bytes(4)), owner, sha256(secret), jobs::system_now(), {}};
  if (valid) token.expires = token.created + *valid;
  tokens.push_back(token);
  LAPSE_CHECK(write_tokens(file_, tokens));
  return std::pair{token, secret};
}

Result<std::vector<Token>> Tokens::list() { return read_tokens(file_); }

Result<void> Tokens::revoke(const std::string& id) {
  LAPSE_TRY(const jobs::File held, lock(file_));
  LAPSE_TRY(auto tokens, read_tokens(file_));
  if (std::erase_if(tokens, [&](const Token& token) { return token.id == id; }) == 0) {
    return fail(ErrorCode::NotFound, fmt::format("there is no token '{}'", id), "lapse token list");
  }
  return write_tokens(file_, tokens);
}

void Tokens::refresh() {
  const auto now = std::chrono::steady_clock::now();
  if (looked_ != std::chrono::steady_clock::time_point{} && now - looked_ < kLook) return;
  looked_ = now;
  std::error_code error;
  const auto written = std::filesystem::last_write_time(file_, error);
  if (!error && written == read_) return;
  read_ = error ? std::filesystem::file_time_type{} : written;
  auto tokens = read_tokens(file_);
  problem_ = tokens ? std::nullopt : std::optional{tokens.error()};
  tokens_ = std::move(tokens).value_or(std::vector<Token>{});  // damaged: nobody gets in
}

std::optional<Token> Tokens::find(std::string_view token) {
  refresh();
  const std::string digest = sha256(token);
  const auto found = std::ranges::find_if(tokens_, [&](const Token& known) { return same_secret(known.digest, digest) && in_time(known); });
  return found == tokens_.end() ? std::nullopt : std::optional{*found};
}

bool Tokens::valid(std::string_view id) {
  refresh();
  return std::ranges::any_of(tokens_, [&](const Token& known) { return known.id == id && in_time(known); });
}

bool Tokens::any() {
  refresh();
  return !tokens_.empty();
}

}  // namespace lapse::serve
