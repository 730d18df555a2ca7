#include <lapse/serve/http/range.hpp>
#include <lapse/serve/http/text.hpp>

#include <algorithm>
#include <charconv>

namespace lapse::serve::http {
namespace {

// A number too large to hold lies behind every end; nothing: not a number.
std::optional<std::uint64_t> number(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc{} ? value : UINT64_MAX;
}

}  // namespace

std::optional<std::variant<Unsatisfiable, ByteRange>> parse_range(std::string_view header, std::uint64_t size) {
  header = trim(header);
  const auto equals = header.find('=');
  if (equals == std::string_view::npos || !same_letters(header.substr(0, equals), "bytes")) return std::nullopt;
  const std::string_view range = trim(header.substr(equals + 1));
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number(range.substr(0, dash)), last = number(range.substr(dash + 1));

  if (dash == 0) {  // "-N": the last N bytes
    if (!last) return std::nullopt;
    if (*last == 0 || size == 0) return Unsatisfiable{};
    const std::uint64_t length = std::min(*last, size);
    return ByteRange{size - length, length};
  }
  if (!first || (!last && dash + 1 != range.size())) return std::nullopt;
  if (last && *last < *first) return std::nullopt;
  if (*first >= size) return Unsatisfiable{};
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return ByteRange{*first, end - *first + 1};
}

}  // namespace lapse::serve::http
