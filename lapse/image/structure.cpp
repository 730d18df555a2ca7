#include <array>
#include <cstdint>
#include <fstream>
#include <lapse/image/structure.hpp>
#include <optional>
#include <string_view>

namespace lapse::image {
namespace {

// A file of nothing but tiny pieces would be read for hours.
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

// The PNG specification (third edition), 5.3: length, type, data, check sum.
bool animated_png(File& file) {
  constexpr std::uint64_t kSignature = 8, kRound = 12;
  std::uint64_t offset = kSignature;
  for (int i = 0; i < kMostPieces; ++i) {
    const auto head = file.at<8>(offset);
    if (!head || letters(*head, 4) == "IDAT") return false;
    if (letters(*head, 4) == "acTL") return true;
    offset += big_endian(*head, 0, 4) + kRound;
  }
  return false;
}

// RFC 9649, 2.3: "RIFF", the size of what follows (little-endian), "WEBP".
bool complete_webp(File& file) {
  const auto head = file.at<8>(0);
  if (!head) return false;
  const auto [r, i, f, g, a, b, c, d] = *head;
  return file.size() - 8 >= (std::uint64_t{a} | std::uint64_t{b} << 8 | std::uint64_t{c} << 16 | std::uint64_t{d} << 24);
}

// ISO/IEC 14496-12, 4.2: size and type; a size of 1: 64 bits of it come behind the type, of 0: to the end.
bool complete_boxes(File& file) {
  std::uint64_t offset = 0;
  for (int i = 0; i < kMostPieces && offset < file.size(); ++i) {
    const auto head = file.at<8>(offset);
    if (!head) return false;
    std::uint64_t size = big_endian(*head, 0, 4);
    if (size == 0) return true;
    if (size == 1) {
      const auto large = file.at<8>(offset + 8);
      if (!large) return false;
      size = big_endian(*large, 0, 8);
    }
    if (size < 8) return true;  // no sound box: the decoder will say so
    if (size > file.size() - offset) return false;
    offset += size;
  }
  return true;
}

}  // namespace

Structure look_at(const std::filesystem::path& path, Format format) {
  File file{path};
  Structure structure;
  if (format == Format::Png) structure.animated = animated_png(file);
  if (format == Format::Webp) structure.complete = complete_webp(file);
  if (format == Format::Heic || format == Format::Avif) structure.complete = complete_boxes(file);
  return structure;
}

}  // namespace lapse::image
