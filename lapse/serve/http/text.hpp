#pragma once
// The small texts inside HTTP: percent-encoding, queries, cookies, entity tags. Pure functions on untrusted bytes.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lapse::serve::http {

/// What separates words in a query: a form writes a space as '+', a path doesn't.
enum class Plus : unsigned char { Itself, Space };

/// Nothing when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::Itself);

/// Bytes below 0x20 and 0x7f.
bool has_control(std::string_view text) noexcept;

/// "a=1&b=2" in order, names and values decoded. Nothing when something doesn't decode or holds a control character.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

/// Value of the first cookie of this name in a Cookie header, without its quotes.
std::optional<std::string_view> cookie(std::string_view header, std::string_view name) noexcept;

/// Does this If-None-Match name the entity tag: by "*", or in its list? A weak one is as good here (RFC 9110, section 13.1.2).
bool lists_tag(std::string_view header, std::string_view tag) noexcept;

/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text) noexcept;

/// ASCII letters alike, whatever the locale.
bool same_letters(std::string_view a, std::string_view b) noexcept;

}  // namespace lapse::serve::http
