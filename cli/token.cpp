#include <fmt/format.h>

#include <chrono>
#include <lapse/base/time.hpp>
#include <lapse/jobs/document.hpp>
#include <lapse/serve/access/tokens.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/console.hpp"

namespace lapse::cli {
namespace {

struct Settings {
  std::string data, owner, expires, id;
  bool json = false;
};

/// parse_duration knows no days, and a token lives for days.
Result<Duration> parse_validity(const std::string& text) {
  constexpr auto kMax = std::chrono::hours{24 * 365 * 100};  // the time of day in nanoseconds ends in 2262
  auto parsed = text.ends_with('d') ? parse_duration(text.substr(0, text.size() - 1) + "h").map([](Duration hours) { return hours * 24; })
                                    : parse_duration(text);
  if (!parsed || *parsed <= Duration{} || *parsed > kMax) {
    return fail(ErrorCode::BadUse, fmt::format("'{}' is not a time for which a token can be valid", text), "such as 90d, 12h or 30min");
  }
  return parsed;
}

int create(const Settings& settings, report::Language language) {
  std::optional<Duration> valid;
  if (!settings.expires.empty()) {
    const auto parsed = parse_validity(settings.expires);
    if (!parsed) return print_error(parsed.error(), language);
    valid = *parsed;
  }
  serve::Tokens tokens{settings.data};
  const auto created = tokens.create(settings.owner, valid);
  if (!created) return print_error(created.error(), language);
  const auto& [token, text] = *created;
  const bool korean = language == report::Language::Korean;
  fmt::print("{}\n", text);
  const std::string until = token.expires ? jobs::rfc3339(*token.expires) : korean ? "폐기할 때까지" : "revoked";
  if (korean) {
    fmt::print(stderr, "토큰 {}, 소유자 {}, 유효 기간: {}. 다시 표시되지 않습니다.\n", token.id, token.owner, until);
  } else {
    fmt::print(stderr, "token {} of {}, valid until {}; it is shown this once\n", token.id, token.owner, until);
  }
  return 0;
}

int list(const Settings& settings, report::Language language) {
  serve::Tokens tokens{settings.data};
  const auto all = tokens.list();
  if (!all) return print_error(all.error(), language);
  if (settings.json) {
    auto out = nlohmann::ordered_json::array();
    for (const serve::Token& token : *all) {
      out.push_back({{"id", token.id}, {"owner", token.owner}, {"created", jobs::rfc3339(token.created)}, {"expires", nullptr}});
      if (token.expires) out.back()["expires"] = jobs::rfc3339(*token.expires);
    }
    fmt::print("{}\n", out.dump(2));
    return 0;
  }
  const bool korean = language == report::Language::Korean;
  for (const serve::Token& token : *all) {
    const std::string_view never = korean ? "만료 없음" : "never expires";
    const std::string_view past = !token.expires || *token.expires > jobs::system_now() ? "" : korean ? " (만료됨)" : " (expired)";
    fmt::print("{}  {:<24} {}  {}{}\n", token.id, token.owner, jobs::rfc3339(token.created).substr(0, 10),
               token.expires ? jobs::rfc3339(*token.expires).substr(0, 19) + "Z" : std::string(never), past);
  }
  return 0;
}

int revoke(const Settings& settings, report::Language language) {
  serve::Tokens tokens{settings.data};
  const auto revoked = tokens.revoke(settings.id);
  return revoked ? 0 : print_error(revoked.error(), language);
}

}  // namespace

Command add_token(CLI::App& app, Context& context) {
  const auto settings = std::make_shared<Settings>();
  const auto token = app.add_subcommand("token", "Make, list and revoke the tokens that a server asks for");
  token->require_subcommand(1);
  const auto add = [&](const char* name, const char* help) {
    const auto command = token->add_subcommand(name, help);
    command->add_option("--data", settings->data, "The server's data folder")->required()->type_name("DIR");
    return command;
  };
  const auto make = add("create", "Make a token and print it, this once");
  make->add_option("--owner", settings->owner, "Whose jobs it opens: 1 to 64 of A-Z a-z 0-9 . _ -")->required()->type_name("NAME");
  make->add_option("--expires", settings->expires, "How long it is valid, such as 90d or 12h (default: until revoked)")->type_name("TIME");
  const auto show = add("list", "List the tokens: id, owner, when made, when they expire");
  show->add_flag("--json", settings->json, "As JSON");
  const auto end = add("revoke", "Make a token invalid; a running server knows within a second");
  end->add_option("ID", settings->id, "The token's id, from `lapse token list`")->required();
  return [settings, make, show, &context] {
    if (make->parsed()) return create(*settings, context.language);
    if (show->parsed()) return list(*settings, context.language);
    return revoke(*settings, context.language);
  };
}

}  // namespace lapse::cli
