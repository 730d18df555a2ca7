#pragma once
// Which lapse this is. The texts are written when the library is built and stay valid for the whole program.

#include <string_view>

namespace lapse {

std::string_view version() noexcept;     // "0.1.0"
std::string_view git_commit() noexcept;  // 12 hexadecimal digits, "-dirty" behind them when a source differed; empty outside a checkout
std::string_view compiler() noexcept;    // "GNU 12.2.0"
std::string_view build_type() noexcept;  // "Release", "Debug", …

}  // namespace lapse
