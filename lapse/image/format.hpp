#pragma once
// Picture formats, told by a file's content and never by its name.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace lapse::image {

enum class Format { Jpeg, Png, Webp, Heic, Avif };

std::string_view name(Format format) noexcept;          // "JPEG"
std::string_view content_type(Format format) noexcept;  // "image/jpeg"
std::string_view suffix(Format format) noexcept;        // ".jpg"
/// By a suffix, with its dot, in either case: ".JPEG" is one too.
std::optional<Format> format_of_suffix(std::string_view suffix) noexcept;

/// So many first bytes tell every format.
inline constexpr std::size_t kSniffed = 64;
/// The format that a file begins like; nothing: none that is taken.
std::optional<Format> sniff(std::span<const std::byte> first) noexcept;
/// What else it is, where that can be told: "GIF", "PDF"; empty where not.
std::string_view other_kind(std::span<const std::byte> first) noexcept;

}  // namespace lapse::image
