#pragma once
// The Range header (RFC 9110, section 14): one range of bytes. Several at once are answered with the whole, which the RFC allows.

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace lapse::serve::http {

struct ByteRange {
  std::uint64_t offset = 0, size = 0;
  bool operator==(const ByteRange&) const = default;
};
/// No byte of it lies within: 416 with `Content-Range: bytes */SIZE`.
struct Unsatisfiable {
  bool operator==(const Unsatisfiable&) const = default;
};

/// Of a document of `size` bytes. Nothing: answer with the whole, because there is no range, several, or one that is not understood.
std::optional<std::variant<Unsatisfiable, ByteRange>> parse_range(std::string_view header, std::uint64_t size);

}  // namespace lapse::serve::http
