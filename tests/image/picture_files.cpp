#include "image/picture_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace lapse::image {

namespace fs = std::filesystem;

Pixels gradient(std::size_t width, std::size_t height, std::size_t channels) {
  Pixels pixels{width, height, channels};
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t value = 40 + 150 * (c == 0 ? x : c == 1 ? y : x + y) / (width + height) + (x / 8 + y / 8 + c) % 2 * 20;
        pixels.bytes.push_back(static_cast<std::byte>(value));
      }
    }
  }
  return pixels;
}

vips::Image to_vips(const Pixels& pixels, VipsInterpretation interpretation) {
  const vips::Image raw(vips_image_new_from_memory_copy(pixels.bytes.data(), pixels.bytes.size(), static_cast<int>(pixels.width),
                                                        static_cast<int>(pixels.height), static_cast<int>(pixels.channels),
                                                        VIPS_FORMAT_UCHAR));
  return vips::make([&](VipsImage** out) { return vips_copy(raw.get(), out, "interpretation", interpretation, nullptr); });
}

int largest_difference(const Pixels& a, const Pixels& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels || a.bytes.size() != b.bytes.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.bytes.size(); ++i) {
    largest = std::max(largest, std::abs(std::to_integer<int>(a.bytes[i]) - std::to_integer<int>(b.bytes[i])));
  }
  return largest;
}

std::string content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string big_endian(std::uint32_t number) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xFF);
  return bytes;
}

std::string segment(char marker, const std::string& data) {
  const std::size_t size = data.size() + 2;
  return std::string("\xFF") + marker + static_cast<char>(size >> 8) + static_cast<char>(size & 0xFF) + data;
}

std::string chunk(const std::string& type, const std::string& data) {
  std::uint32_t sum = 0xFFFFFFFF;  // CRC-32
  for (const char c : type + data) {
    sum ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320 : 0);
  }
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data + big_endian(~sum);
}

std::string png_head(std::uint32_t width, std::uint32_t height) {
  using namespace std::string_literals;
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", big_endian(width) + big_endian(height) + "\x08\x02\0\0\0"s);
}

PictureFiles::PictureFiles() : folder_(fs::path(testing::TempDir()) / ("lapse_image_test_" + std::to_string(getpid()))) {
  fs::create_directories(folder_);
  const auto codec = vips::codec();
  EXPECT_TRUE(codec);
  codec_ = *codec;
}
PictureFiles::~PictureFiles() { fs::remove_all(folder_); }

fs::path PictureFiles::save(const vips::Image& image, const std::string& name, const std::string& options) {
  const fs::path path = folder_ / name;
  EXPECT_NE(image, nullptr);
  EXPECT_EQ(vips_image_write_to_file(image.get(), (path.string() + options).c_str(), nullptr), 0) << vips_error_buffer();
  return path;
}

fs::path PictureFiles::file(const std::string& name, const std::string& bytes) {
  const fs::path path = folder_ / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

Result<Pixels> PictureFiles::decode(const fs::path& file, const Limits& limits) {
  constexpr std::size_t kRows = 37;
  LAPSE_TRY(const auto reader, codec_->open(file, limits));
  const Header& header = reader->header();
  Pixels pixels{header.width, header.height, header.channels};
  const std::size_t row = header.width * header.channels;
  pixels.bytes.resize(row * header.height);
  for (std::size_t y = 0; y < header.height; y += kRows) {
    const std::size_t rows = std::min(kRows, header.height - y);
    LAPSE_CHECK(reader->read(rows, std::span(pixels.bytes).subspan(y * row, rows * row)));
  }
  return pixels;
}

Pixels PictureFiles::read(const fs::path& file) {
  auto pixels = decode(file);
  EXPECT_TRUE(pixels) << file << ": " << pixels.error().message;
  return pixels ? *pixels : Pixels{};
}

Header PictureFiles::header(const fs::path& file) {
  const auto reader = codec_->open(file, {});
  EXPECT_TRUE(reader) << file << ": " << reader.error().message;
  return reader ? (*reader)->header() : Header{};
}

void PictureFiles::refused(const fs::path& file, const Fault& fault, const std::string& figures, const Limits& limits) {
  const auto pixels = decode(file, limits);
  ASSERT_FALSE(pixels) << file;
  EXPECT_EQ(pixels.error().message, fault.sentence.english) << file;
  EXPECT_EQ(pixels.error().code, fault.code);
  EXPECT_EQ(pixels.error().hint, figures) << file;
}

}  // namespace lapse::image
