#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <lapse/base/bytes.hpp>

namespace lapse {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr std::array kUnits{Unit{"", 1},         Unit{"B", 1},    Unit{"KiB", 0x1p10}, Unit{"MiB", 0x1p20}, Unit{"GiB", 0x1p30},
                            Unit{"TiB", 0x1p40}, Unit{"kB", 1e3}, Unit{"MB", 1e6},     Unit{"GB", 1e9},     Unit{"TB", 1e12}};

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  double number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& known : kUnits) {
    if (error != std::errc{} || unit != known.name || !(number >= 0) || !(number * known.bytes < 0x1p63)) continue;
    return static_cast<std::uint64_t>(std::llround(number * known.bytes));
  }
  return fail(ErrorCode::BadInput, fmt::format("'{}' is no number of bytes", text), "such as 64MiB, 1.5GB or 4096");
}

}  // namespace lapse
