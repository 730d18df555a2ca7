#pragma once
// Numbers of bytes as people write them: "64MiB", "1.5 GB".

#include <cstdint>
#include <lapse/base/error.hpp>
#include <string_view>

namespace lapse {

/// Reads a non-negative decimal number followed by nothing or B, KiB, MiB, GiB, TiB (powers of 1024), kB, MB, GB, TB (powers of 1000).
/// Error: BadInput.
Result<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace lapse
