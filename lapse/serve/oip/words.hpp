#pragma once
// How names of a client's choice stand in messages: on one line, and not for ever.

#include <string>
#include <string_view>

namespace lapse::serve::oip {

/// 'name', control characters replaced, cut after 64 bytes.
std::string in_quotes(std::string_view name);

}  // namespace lapse::serve::oip
