#include <array>
#include <cstdint>
#include <fstream>
#include <lapse/image/structure.hpp>
#include <optional>
#include <string_view>

namespace lapse::image {
namespace {

// Of segments, chunks or boxes before the pixels. The largest profile takes 255 segments; libjpeg's time goes with the square of the
// number.
constexpr int kMostPieces = 10'000;

class File {
 public:
  explicit File(const std::filesystem::path& file) : stream_(file, std::ios::binary | std::ios::ate) {
    if (stream_) size_ = static_cast<std::uint64_t>(stream_.tellg());
  }
  std::uint64_t size() const noexcept { return size_; }

  template <std::size_t N>
  std::optional<std::array<unsigned char, N>> at(std::uint64_t offset) {
    std::array<unsigned char, N> bytes{};
    if (offset > size_ || size_ - offset < N) return std::nullopt;
    stream_.seekg(static_cast<std::streamoff>(offset));
    if (!stream_.read(reinterpret_cast<char*>(bytes.data()), N)) return std::nullopt;
    return bytes;
  }

 private:
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

template <std::size_t N>
std::uint64_t big_endian(const std::array<unsigned char, N>& bytes, std::size_t from, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = from; i < from + count; ++i) value = value << 8 | bytes[i];
  return value;
}

template <std::size_t N>
std::string_view letters(const std::array<unsigned char, N>& bytes, std::size_t from) {
  return {reinterpret_cast<const char*>(bytes.data()) + from, 4};
}

// ITU-T T.81, B.1.1: a marker, and where it has parameters their length. What is no marker is the decoder's to judge.
void walk_jpeg(File& file, Structure& structure) {
  constexpr std::uint64_t kStart = 2;
  constexpr unsigned kMarker = 0xFF, kScan = 0xDA;
  std::uint64_t offset = kStart;
  for (int i = 0; i < kMostPieces; ++i) {
    const auto head = file.at<4>(offset);
    if (!head || (*head)[0] != kMarker || (*head)[1] == kScan) return;
    offset += 2 + big_endian(*head, 2, 2);
  }
  structure.flooded = true;
}

// The PNG specification (third edition), 5.3: length, type, data, check sum.
void walk_png(File& file, Structure& structure) {
  constexpr std::uint64_t kSignature = 8, kRound = 12;
  std::uint64_t offset = kSignature;
  for (int i = 0; i < kMostPieces; ++i) {
    const auto head = file.at<8>(offset);
    if (!head || letters(*head, 4) == "IDAT") return;
    if (letters(*head, 4) == "acTL") structure.animated = true;
    offset += big_endian(*head, 0, 4) + kRound;
  }
  structure.flooded = true;
}

// RFC 9649, 2.3: "RIFF", the size of what follows (little-endian), "WEBP".
void walk_webp(File& file, Structure& structure) {
  const auto head = file.at<8>(0);
  if (!head) return;
  const auto [r, i, f, g, a, b, c, d] = *head;
  structure.complete = file.size() - 8 >= (std::uint64_t{a} | std::uint64_t{b} << 8 | std::uint64_t{c} << 16 | std::uint64_t{d} << 24);
}

// ISO/IEC 14496-12, 4.2: size and type; a size of 1: 64 bits of it come behind the type, of 0: to the end.
void walk_boxes(File& file, Structure& structure) {
  std::uint64_t offset = 0;
  for (int i = 0; i < kMostPieces; ++i) {
    if (offset == file.size()) return;
    const auto head = file.at<8>(offset);
    std::uint64_t size = head ? big_endian(*head, 0, 4) : UINT64_MAX;
    if (size == 0) return;
    if (size == 1) {
      const auto large = file.at<8>(offset + 8);
      size = large ? big_endian(*large, 0, 8) : UINT64_MAX;
    }
    if (size < 8) return;  // no sound box: the decoder will say so
    if (size > file.size() - offset) {
      structure.complete = false;
      return;
    }
    offset += size;
  }
  structure.flooded = true;
}

}  // namespace

Structure look_at(const std::filesystem::path& path, Format format) {
  File file{path};
  Structure structure;
  switch (format) {
    case Format::Jpeg:
      walk_jpeg(file, structure);
      break;
    case Format::Png:
      walk_png(file, structure);
      break;
    case Format::Webp:
      walk_webp(file, structure);
      break;
    case Format::Heic:
    case Format::Avif:
      walk_boxes(file, structure);
      break;
  }
  return structure;
}

}  // namespace lapse::image
