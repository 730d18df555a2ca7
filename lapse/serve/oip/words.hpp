#pragma once
// How texts of a client's or an engine's choice stand in messages: on one line, and not for ever. Not installed.

#include <cstddef>
#include <string>
#include <string_view>

namespace lapse::serve::oip {

/// Control characters become spaces; what is longer than that many bytes is cut, with "…" behind it.
std::string one_line(std::string_view text, std::size_t longest);
/// 'name', on one line, cut after 64 bytes.
std::string in_quotes(std::string_view name);

}  // namespace lapse::serve::oip
