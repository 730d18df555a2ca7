#include <atomic>

#include "image/picture_files.hpp"

namespace lapse::image {
namespace {

class Writer : public PictureFiles {
 protected:
  /// Written in uneven parts.
  std::filesystem::path write(const Pixels& pixels, Format format, std::shared_ptr<const Metadata> metadata = nullptr) {
    std::string bytes;
    const auto writer = codec_->create({format, pixels.width, pixels.height, pixels.channels, std::move(metadata)},
                                       [&](std::span<const std::byte> more) -> Result<void> {
                                         bytes.append(reinterpret_cast<const char*>(more.data()), more.size());
                                         return {};
                                       });
    EXPECT_TRUE(writer);
    const std::size_t row = pixels.width * pixels.channels;
    for (std::size_t y = 0, rows = 1; y < pixels.height; y += rows, rows = std::min(2 * rows + 1, pixels.height - y)) {
      EXPECT_TRUE((*writer)->write(rows, std::span(pixels.bytes).subspan(y * row, rows * row)));
    }
    EXPECT_TRUE((*writer)->finish());
    return file("written" + std::string(suffix(format)), bytes);
  }

  /// A JPEG with camera, place, a thumbnail's resolution and XMP.
  std::filesystem::path photo_with_metadata() {
    const auto image = to_vips(gradient(64, 48));
    vips_image_set_int(image.get(), VIPS_META_ORIENTATION, 6);
    vips_image_set_string(image.get(), "exif-ifd0-Model", "A Camera (A Camera, ASCII, 9 components, 9 bytes)");
    vips_image_set_string(image.get(), "exif-ifd3-GPSLatitude", "37/1 33/1 0/1");
    vips_image_set_blob_copy(image.get(), VIPS_META_XMP_NAME, "<x:xmpmeta/>", 12);
    return save(image, "told.jpg");
  }

  static bool tells(const std::filesystem::path& file, const char* field) {
    const vips::Image image(vips_image_new_from_file(file.c_str(), nullptr));
    EXPECT_NE(image, nullptr);
    return vips_image_get_typeof(image.get(), field) != 0;
  }
};

TEST_F(Writer, WritesPngExactly) {
  for (const std::size_t channels : {3U, 4U}) {
    const Pixels picture = Pixels::random(321, 543, channels);
    EXPECT_EQ(read(write(picture, Format::Png)).bytes, picture.bytes);
  }
}

TEST_F(Writer, WritesJpegAndWebpNearly) {
  const Pixels picture = gradient(321, 543);
  for (const Format format : {Format::Jpeg, Format::Webp}) {
    const auto path = write(picture, format);
    EXPECT_EQ(header(path).format, format);
    EXPECT_LE(largest_difference(read(path), picture), 24);
  }
}

TEST_F(Writer, WritesOnePixel) {
  for (const Format format : {Format::Png, Format::Jpeg, Format::Webp})
    EXPECT_EQ(read(write(Pixels::random(1, 1), format)).bytes.size(), 3U);
}

TEST_F(Writer, KeepsColourAtFullResolution) {
  // A red and a blue column side by side would become purple with half the colours.
  Pixels stripes{64, 64, 3};
  for (std::size_t i = 0; i < 64 * 64; ++i) {
    for (const int value : i % 2 == 0 ? std::array{220, 30, 30} : std::array{30, 30, 220})
      stripes.bytes.push_back(static_cast<std::byte>(value));
  }
  EXPECT_LE(largest_difference(read(write(stripes, Format::Jpeg)), stripes), 40);
}

TEST_F(Writer, MakesTransparentPartsWhiteInJpeg) {
  Pixels picture = gradient(32, 32, 4);
  for (std::size_t i = 3; i < picture.bytes.size(); i += 4) picture.bytes[i] = std::byte{0};
  const Pixels got = read(write(picture, Format::Jpeg));
  ASSERT_EQ(got.channels, 3U);
  for (const std::byte byte : got.bytes) ASSERT_GE(std::to_integer<int>(byte), 253);
}

TEST_F(Writer, TellsTheColourSpaceAndNothingElse) {
  const auto reader = codec_->open(photo_with_metadata(), {});
  ASSERT_TRUE(reader);
  const Pixels picture = gradient(128, 96);
  for (const Format format : {Format::Png, Format::Jpeg, Format::Webp}) {
    const auto plain = write(picture, format);
    EXPECT_TRUE(tells(plain, VIPS_META_ICC_NAME));
    EXPECT_FALSE(tells(plain, "exif-ifd0-Model"));
    EXPECT_FALSE(tells(plain, "exif-ifd3-GPSLatitude"));
    EXPECT_FALSE(tells(plain, VIPS_META_XMP_NAME));
  }
}

TEST_F(Writer, KeepsWhatAPhotoTellsWhenAsked) {
  const auto original = photo_with_metadata();
  ASSERT_TRUE(tells(original, "exif-ifd0-Model"));
  ASSERT_TRUE(tells(original, "exif-ifd3-GPSLatitude"));
  const auto reader = codec_->open(original, {});
  ASSERT_TRUE(reader);
  const Pixels picture = gradient(96, 128);
  for (const Format format : {Format::Jpeg, Format::Webp}) {
    const auto kept = write(picture, format, (*reader)->metadata());
    EXPECT_TRUE(tells(kept, "exif-ifd0-Model"));
    EXPECT_TRUE(tells(kept, "exif-ifd3-GPSLatitude"));
    EXPECT_TRUE(tells(kept, VIPS_META_XMP_NAME));
    const Pixels got = read(kept);
    EXPECT_EQ(got.width, 96U) << "turned twice";
  }
}

TEST_F(Writer, EndsWithWhatTheSinkFailsWith) {
  const Pixels picture = Pixels::random(500, 500);
  const auto writer = codec_->create({Format::Png, 500, 500, 3, nullptr}, [](std::span<const std::byte>) -> Result<void> {
    return fail(ErrorCode::Unavailable, "the disk is full");
  });
  ASSERT_TRUE(writer);
  Result<void> written;
  for (std::size_t y = 0; y < 500 && written; ++y) written = (*writer)->write(1, std::span(picture.bytes).subspan(y * 1500, 1500));
  const auto finished = (*writer)->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message, "the disk is full");
  EXPECT_EQ(finished.error().code, ErrorCode::Unavailable);
}

TEST_F(Writer, StopsInTheMiddleWhenItIsDestroyed) {
  for (const std::size_t rows : {0U, 1U, 60U}) {
    std::atomic<bool> over{false};
    {
      const auto writer = codec_->create({Format::Jpeg, 100, 100, 3, nullptr}, [&](std::span<const std::byte>) -> Result<void> {
        EXPECT_FALSE(over);
        return {};
      });
      ASSERT_TRUE(writer);
      if (rows > 0) {
        EXPECT_TRUE((*writer)->write(rows, std::vector<std::byte>(rows * 300)));
      }
    }
    over = true;
  }
}

TEST_F(Writer, SaysThatRowsAreMissing) {
  const auto writer = codec_->create({Format::Jpeg, 100, 100, 3, nullptr}, [](std::span<const std::byte>) -> Result<void> { return {}; });
  ASSERT_TRUE(writer);
  EXPECT_TRUE((*writer)->write(50, std::vector<std::byte>(50 * 300)));
  const auto finished = (*writer)->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message, kNotWritten.sentence.english);
}

TEST_F(Writer, ChoosesAFormatThatThePictureFitsInto) {
  const auto chosen = [&](Format format, std::size_t width, std::size_t height, std::size_t channels = 3, std::size_t scale = 2) {
    const auto result = choose_format(*codec_, {format, width, height, channels, {}}, scale, std::nullopt);
    return result ? *result : Format::Avif;
  };
  EXPECT_EQ(chosen(Format::Jpeg, 4000, 3000), Format::Jpeg);
  EXPECT_EQ(chosen(Format::Jpeg, 40'000, 100), Format::Png);
  EXPECT_EQ(chosen(Format::Png, 40'000, 100), Format::Png);
  EXPECT_EQ(chosen(Format::Webp, 2000, 1000), Format::Webp);
  EXPECT_EQ(chosen(Format::Webp, 9000, 100), Format::Jpeg);
  EXPECT_EQ(chosen(Format::Webp, 9000, 100, 4), Format::Png);
  EXPECT_EQ(chosen(Format::Webp, 8000, 6000), Format::Jpeg);  // 192 megapixels at once in memory
  EXPECT_EQ(chosen(Format::Heic, 4000, 3000), Format::Jpeg);
  EXPECT_EQ(chosen(Format::Avif, 4000, 3000, 4), Format::Png);
  const Header large{Format::Png, 40'000, 100, 3, {}};
  EXPECT_EQ(choose_format(*codec_, large, 2, Format::Jpeg).error().message, kTooLargeToWrite.sentence.english);
  EXPECT_EQ(choose_format(*codec_, large, 2, Format::Heic).error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace lapse::image
