// Whatever file comes, it is a picture or it is told in one sentence why not.

#include <sys/stat.h>

#include <random>

#include "image/picture_files.hpp"

namespace lapse::image {
namespace {

using namespace std::string_literals;
using BadFile = PictureFiles;

/// An entry of an image file directory, little-endian.
std::string entry(std::uint16_t tag, std::uint16_t type, std::uint32_t count, std::uint32_t value) {
  std::string bytes;
  for (const auto& [number, size] : {std::pair<std::uint32_t, int>{tag, 2}, {type, 2}, {count, 4}, {value, 4}}) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> 8 * i & 0xFF);
  }
  return bytes;
}

TEST_F(BadFile, CannotBeRead) {
  refused(folder_ / "nowhere.jpg", kUnreadable, "No such file or directory");
  refused(folder_, kUnreadable, "Is a directory");
  const auto pipe = folder_ / "pipe.jpg";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  refused(pipe, kUnreadable, "Illegal seek");
}

TEST_F(BadFile, IsEmptyOrTooLarge) {
  refused(file("empty.jpg", ""), kEmpty);
  Limits limits;
  limits.bytes = 1 << 20;
  const auto large = file("large.jpg", "");
  std::filesystem::resize_file(large, 3 << 20);
  refused(large, kTooManyBytes, "3 MiB > 1 MiB", limits);
}

TEST_F(BadFile, IsNoPhotoWhateverItsName) {
  refused(file("gif.jpg", "GIF89a\1\0\1\0\x80\0\0\0\0\0\xFF\xFF\xFF;"s), kNoPhoto, "GIF");
  refused(file("svg.jpg", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"), kNoPhoto, "SVG");
  refused(file("pdf.jpg", "%PDF-1.7\n"), kNoPhoto, "PDF");
  refused(file("tiff.jpg", "II*\0\x08\0\0\0"s), kNoPhoto, "TIFF");
  refused(file("text.jpg", "dear diary"), kNoPhoto);
  refused(file("one.jpg", "\xFF"), kNoPhoto);
}

TEST_F(BadFile, ReachesNoOtherLoader) {
  // Not even by libvips' own search: what the loaders behind it may do is nobody's problem.
  const auto svg = file("a.svg", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>");
  for (const auto& path :
       {svg, file("a.gif", "GIF89a\1\0\1\0\x80\0\0\0\0\0\xFF\xFF\xFF;"s), file("a.ppm", "P6 1 1 255 abc"), file("a.csv", "1 2 3\n")}) {
    EXPECT_EQ(vips::Image(vips_image_new_from_file(path.c_str(), nullptr)), nullptr) << path;
  }
}

TEST_F(BadFile, EndsBeforeThePictureDoes) {
  const auto image = to_vips(Pixels::random(200, 150));
  std::vector<std::string> names{"a.jpg", "p.jpg", "a.png", "i.png", "a.webp"};
  if (codec_->reads(Format::Heic)) names.push_back("a.heic");
  if (codec_->reads(Format::Avif)) names.push_back("a.avif");
  for (const std::string& name : names) {
    const std::string whole = content(save(image, name, name[0] == 'p' || name[0] == 'i' ? "[interlace]" : ""));
    for (const std::size_t part : {20, 50, 80, 99}) refused(file("cut_" + name, whole.substr(0, whole.size() * part / 100)), kTruncated);
  }
}

TEST_F(BadFile, EndsAnywhere) {
  const auto image = to_vips(Pixels::random(40, 30));
  for (const char* name : {"a.jpg", "p.jpg", "a.png", "a.webp", "a.heic", "a.avif"}) {
    const Format format = *format_of_suffix(std::filesystem::path(name).extension().string());
    if (!codec_->reads(format)) continue;
    const std::string whole = content(save(image, name, name[0] == 'p' ? "[interlace]" : ""));
    for (std::size_t size = 1; size < whole.size() - 16; size += 1 + size / 20) {
      const auto cut = decode(file("cut_"s + name, whole.substr(0, size)));
      ASSERT_FALSE(cut) << name << " of " << size << " bytes";
      const std::string& says = cut.error().message;
      EXPECT_TRUE(says == kTruncated.sentence.english || says == kDamaged.sentence.english ||
                  (size < 32 && says == kNoPhoto.sentence.english))
          << name << " of " << size << " bytes: " << says;
    }
  }
}

TEST_F(BadFile, IsDamaged) {
  const auto image = to_vips(Pixels::random(200, 150));
  for (const char* name : {"a.jpg", "p.jpg", "a.png"}) {
    std::string bytes = content(save(image, name, name[0] == 'p' ? "[interlace]" : ""));
    for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 600; ++i) bytes[i] = static_cast<char>(i * 7);
    refused(file("bad_"s + name, bytes), kDamaged);
  }
  std::string webp = content(save(image, "a.webp"));
  for (std::size_t i = 24; i < 60; ++i) webp[i] = 'x';
  refused(file("bad.webp", webp), kDamaged);
}

TEST_F(BadFile, MayBeAnythingBehindItsFirstBytes) {
  const auto image = to_vips(gradient(60, 50));
  std::mt19937 random(9);
  for (const char* name : {"a.jpg", "p.jpg", "a.png", "a.webp", "a.heic", "a.avif"}) {
    if (!codec_->reads(*format_of_suffix(std::filesystem::path(name).extension().string()))) continue;
    const std::string whole = content(save(image, name, name[0] == 'p' ? "[interlace]" : ""));
    for (int i = 0; i < 60; ++i) {
      std::string bytes = whole;
      for (unsigned n = 0; n < 1 + random() % 20; ++n) bytes[16 + random() % (bytes.size() - 16)] = static_cast<char>(random());
      const auto got = decode(file("any_"s + name, bytes));
      if (got) continue;
      EXPECT_NE(in_korean(got.error().message), got.error().message) << got.error().message;
    }
  }
}

TEST_F(BadFile, IsABombOfPixels) {
  const std::string rest = chunk("IDAT", "x") + chunk("IEND", "");
  refused(file("bomb.png", png_head(65'500, 65'500) + rest), kTooManyPixels, "4290 MP > 110 MP");
  refused(file("long.png", png_head(70'000, 1) + rest), kTooLong, "70000 > 65500");
  // A JPEG of 65,500 x 65,500: SOF0 with three components.
  refused(file("bomb.jpg", "\xFF\xD8"s + segment('\xC0', "\x08\xFF\xDC\xFF\xDC\3\1\x11\0\2\x11\0\3\x11\0"s) +
                               segment('\xDA', "\3\1\0\2\0\3\0\0\x3F\0"s) + "x"),
          kTooManyPixels, "4290 MP > 110 MP");
}

TEST_F(BadFile, IsTooLargeForMemoryIfItHasToBeReadWhole) {
  Limits limits;
  limits.whole = 10'000;
  const auto image = to_vips(gradient(200, 100));
  for (const char* name : {"p.jpg", "i.png"}) refused(save(image, name, "[interlace]"), kTooLargeWhole, "0.02 MP > 0.01 MP", limits);
  refused(save(image, "a.webp"), kTooLargeWhole, "0.02 MP > 0.01 MP", limits);
  for (const char* name : {"a.jpg", "a.png"}) EXPECT_TRUE(decode(save(image, name), limits)) << name;
}

TEST_F(BadFile, TakesTooLong) {
  Limits limits;
  limits.time = Duration{1};
  for (const char* name : {"a.jpg", "a.png", "a.webp"}) refused(save(to_vips(gradient(200, 100)), name), kTooSlow, "", limits);
}

TEST_F(BadFile, HasMetadataThatPointsToItself) {
  // IFD0 names itself as the EXIF directory, as the GPS directory and as the next one.
  const std::string loop =
      "Exif\0\0II*\0\x08\0\0\0\3\0"s + entry(0x0112, 3, 1, 6) + entry(0x8769, 4, 1, 8) + entry(0x8825, 4, 1, 8) + "\x08\0\0\0"s;
  std::string jpeg = content(save(to_vips(gradient(64, 32)), "a.jpg", "[strip]"));
  jpeg.insert(2, segment('\xE1', loop));
  const auto path = file("loop.jpg", jpeg);
  const Pixels got = read(path);
  EXPECT_EQ(got.width, 32U);  // turned, as the first entry says
  EXPECT_EQ(got.height, 64U);
}

TEST_F(BadFile, HasExtraBytesThatDoNoHarm) {
  // Cameras leave some between two segments, and phones put a film behind the picture.
  const Pixels picture = gradient(64, 32);
  std::string jpeg = content(save(to_vips(picture), "a.jpg", "[Q=95]"));
  jpeg.insert(2, segment('\xE3', "x") + "\0\0\0"s);
  EXPECT_LE(largest_difference(read(file("extra.jpg", jpeg + "and a film"s)), picture), 24);
}

TEST_F(BadFile, IsAFloodOfPieces) {
  const auto image = to_vips(gradient(64, 32));
  std::string segments, chunks;
  for (int i = 0; i < 300'000; ++i) segments += "\xFF\xE1\0\2"s;
  for (int i = 0; i < 30'000; ++i) chunks += chunk("teXt", "");
  refused(file("flood.jpg", content(save(image, "a.jpg")).insert(2, segments)), kDamaged);
  refused(file("flood.png", content(save(image, "a.png")).insert(8 + 25, chunks)), kDamaged);
}

}  // namespace
}  // namespace lapse::image
