#include <fmt/format.h>

#include <cstdlib>
#include <lapse/report/render.hpp>

namespace lapse::report {

Result<Language> parse_language(std::string_view text) {
  if (text == "en") return Language::English;
  if (text == "ko") return Language::Korean;
  return fail(ErrorCode::BadInput, fmt::format("'{}' is not a language of lapse", text), "write en or ko");
}

Language language_of_environment() {
  for (const char* variable : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    return std::string_view(value).starts_with("ko") ? Language::Korean : Language::English;
  }
  return Language::English;
}

}  // namespace lapse::report
