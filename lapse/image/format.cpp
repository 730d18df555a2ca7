#include <algorithm>
#include <array>
#include <cctype>
#include <lapse/image/format.hpp>

namespace lapse::image {
namespace {

using namespace std::string_view_literals;

struct Row {
  Format format;
  std::string_view name, content_type, suffix;
};
constexpr std::array kRows{Row{Format::Jpeg, "JPEG", "image/jpeg", ".jpg"}, Row{Format::Png, "PNG", "image/png", ".png"},
                           Row{Format::Webp, "WebP", "image/webp", ".webp"}, Row{Format::Heic, "HEIC", "image/heic", ".heic"},
                           Row{Format::Avif, "AVIF", "image/avif", ".avif"}};

const Row& row(Format format) noexcept { return kRows[static_cast<std::size_t>(format)]; }

struct Kind {
  std::string_view magic, name;
};
constexpr std::array kOtherKinds{Kind{"GIF8", "GIF"},
                                 Kind{"%PDF", "PDF"},
                                 Kind{"<svg", "SVG"},
                                 Kind{"<?xml", "XML or SVG"},
                                 Kind{"II*\0"sv, "TIFF"},
                                 Kind{"MM\0*"sv, "TIFF"},
                                 Kind{"BM", "BMP"},
                                 Kind{"8BPS", "Photoshop"},
                                 Kind{"\xFF\x0A", "JPEG XL"},
                                 Kind{"\0\0\0\x0CJXL "sv, "JPEG XL"},
                                 Kind{"\0\0\1\0"sv, "ICO"},
                                 Kind{"PK\3\4", "ZIP"},
                                 Kind{"\x1A\x45\xDF\xA3", "video"},
                                 Kind{"<!DOCTYPE", "HTML"},
                                 Kind{"<html", "HTML"}};

std::string_view text(std::span<const std::byte> bytes) noexcept { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// The brands of an ISO media file (ISO/IEC 14496-12, 4.3), four letters each; empty: it is none.
std::string_view brands(std::string_view first) noexcept {
  constexpr std::size_t kBrands = 8;
  if (first.size() < 12 || first.substr(4, 4) != "ftyp") return {};
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(first[i])); };
  const std::size_t box = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
  return first.substr(kBrands, std::max(box, kBrands) - kBrands);
}

bool has(std::string_view brands, std::string_view brand) noexcept {
  for (std::size_t i = 0; i + 4 <= brands.size(); i += 4) {
    if (brands.substr(i, 4) == brand) return true;
  }
  return false;
}

}  // namespace

std::string_view name(Format format) noexcept { return row(format).name; }
std::string_view content_type(Format format) noexcept { return row(format).content_type; }
std::string_view suffix(Format format) noexcept { return row(format).suffix; }

std::optional<Format> format_of_suffix(std::string_view suffix) noexcept {
  const auto same = [&](std::string_view other) {
    return std::ranges::equal(suffix, other, {}, [](unsigned char c) { return std::tolower(c); });
  };
  for (const Row& candidate : kRows) {
    if (same(candidate.suffix)) return candidate.format;
  }
  if (same(".jpeg")) return Format::Jpeg;
  if (same(".heif")) return Format::Heic;
  return std::nullopt;
}

std::optional<Format> sniff(std::span<const std::byte> bytes) noexcept {
  const std::string_view first = text(bytes);
  if (first.starts_with("\xFF\xD8\xFF")) return Format::Jpeg;
  if (first.starts_with("\x89PNG\r\n\x1A\n")) return Format::Png;
  if (first.size() >= 12 && first.starts_with("RIFF") && first.substr(8, 4) == "WEBP") return Format::Webp;
  const std::string_view found = brands(first);
  if (has(found, "avif") || has(found, "avis")) return Format::Avif;
  for (const std::string_view brand : {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"}) {
    if (has(found, brand)) return Format::Heic;
  }
  return std::nullopt;
}

std::string_view other_kind(std::span<const std::byte> bytes) noexcept {
  std::string_view first = text(bytes);
  if (!brands(first).empty()) return "video";
  if (first.starts_with("\xEF\xBB\xBF")) first.remove_prefix(3);
  for (const Kind& kind : kOtherKinds) {
    if (first.starts_with(kind.magic)) return kind.name;
  }
  return "";
}

}  // namespace lapse::image
