#pragma once
// Text for Markdown. Of lapse/report alone.

#include <string>
#include <string_view>

namespace lapse::report {

/// Names may hold what Markdown and the HTML in it would take for their own.
std::string escaped(std::string_view text);

}  // namespace lapse::report
