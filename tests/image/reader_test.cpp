#include <array>

#include "image/picture_files.hpp"

namespace lapse::image {
namespace {

using namespace std::string_literals;
using Reader = PictureFiles;
using testing::ElementsAre;
using testing::IsEmpty;

Pixels one_colour(int red, int green, int blue) {
  Pixels pixels{16, 16, 3};
  for (int i = 0; i < 256; ++i) {
    for (const int value : {red, green, blue}) pixels.bytes.push_back(static_cast<std::byte>(value));
  }
  return pixels;
}

std::array<int, 3> colour(Pixels pixels, std::size_t x, std::size_t y) {
  const auto at = [&](std::size_t c) { return std::to_integer<int>(pixels.at(x, y, c)); };
  return {at(0), at(1), at(2)};
}

void expect_near(const std::array<int, 3>& got, const std::array<int, 3>& wanted, int tolerance) {
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(got[c], wanted[c], tolerance) << "channel " << c;
}

void set_profile(const vips::Image& image, const char* name) {
  VipsBlob* profile = nullptr;
  ASSERT_EQ(vips_profile_load(name, &profile, nullptr), 0);
  std::size_t size = 0;
  const void* data = vips_blob_get(profile, &size);
  vips_image_set_blob_copy(image.get(), VIPS_META_ICC_NAME, data, size);
  vips_area_unref(VIPS_AREA(profile));
}

TEST_F(Reader, ReadsLosslessFilesExactly) {
  const Pixels picture = Pixels::random(123, 77);
  EXPECT_EQ(read(save(to_vips(picture), "a.png")).bytes, picture.bytes);
  EXPECT_EQ(read(save(to_vips(picture), "i.png", "[interlace]")).bytes, picture.bytes);
  EXPECT_EQ(read(save(to_vips(picture), "a.webp", "[lossless]")).bytes, picture.bytes);
}

TEST_F(Reader, ReadsLossyFilesOfEveryFormat) {
  const Pixels picture = gradient(160, 96);
  for (const char* name : {"a.jpg", "p.jpg[interlace]", "a.webp", "a.heic", "a.avif"}) {
    const std::string text = name;
    if (text == "a.heic" && !codec_->reads(Format::Heic)) continue;
    if (text == "a.avif" && !codec_->reads(Format::Avif)) continue;
    const std::size_t options = std::min(text.find('['), text.size());
    const auto path = save(to_vips(picture), text.substr(0, options), options < text.size() ? "[Q=95,interlace]" : "[Q=95]");
    EXPECT_LE(largest_difference(read(path), picture), 24) << name;
    EXPECT_EQ(header(path).format, format_of_suffix(path.extension().string()));
    EXPECT_THAT(header(path).notes, IsEmpty());
  }
}

TEST_F(Reader, GoesByTheContentAndNotByTheName) {
  const Pixels picture = Pixels::random(20, 20);
  const auto png = save(to_vips(picture), "a.png");
  const auto renamed = file("photo.jpg", content(png));
  EXPECT_EQ(header(renamed).format, Format::Png);
  EXPECT_EQ(read(renamed).bytes, picture.bytes);
}

TEST_F(Reader, MakesGreyPicturesColoured) {
  const Pixels grey = Pixels::random(30, 20, 1), got = read(save(to_vips(grey, VIPS_INTERPRETATION_B_W), "a.png"));
  ASSERT_EQ(got.channels, 3U);
  for (std::size_t i = 0; i < got.bytes.size(); ++i) ASSERT_EQ(got.bytes[i], grey.bytes[i / 3]);
  const Pixels bits = read(save(to_vips(grey, VIPS_INTERPRETATION_B_W), "b.png", "[bitdepth=1]"));
  for (const std::byte byte : bits.bytes) ASSERT_TRUE(byte == std::byte{0} || byte == std::byte{255});
}

TEST_F(Reader, KeepsAlphaApart) {
  const Pixels picture = Pixels::random(30, 20, 4);
  const auto path = save(to_vips(picture), "a.png");
  EXPECT_TRUE(header(path).alpha());
  EXPECT_EQ(read(path).bytes, picture.bytes);
  const Pixels grey = Pixels::random(30, 20, 2), got = read(save(to_vips(grey, VIPS_INTERPRETATION_B_W), "g.png"));
  ASSERT_EQ(got.channels, 4U);
  for (std::size_t i = 0; i < 600; ++i) {
    ASSERT_EQ(got.bytes[4 * i + 1], grey.bytes[2 * i]);
    ASSERT_EQ(got.bytes[4 * i + 3], grey.bytes[2 * i + 1]);
  }
}

TEST_F(Reader, MakesSixteenBitsEight) {
  for (const std::size_t channels : {3U, 4U}) {
    const Pixels picture = Pixels::random(30, 20, channels);
    const auto eight = to_vips(picture);
    const auto sixteen = vips::make([&](VipsImage** out) { return vips_linear1(eight.get(), out, 257, 0, nullptr); });
    const auto cast = vips::make([&](VipsImage** out) { return vips_cast_ushort(sixteen.get(), out, nullptr); });
    const auto wide =
        vips::make([&](VipsImage** out) { return vips_copy(cast.get(), out, "interpretation", VIPS_INTERPRETATION_RGB16, nullptr); });
    const auto path = save(wide, "a.png");
    EXPECT_EQ(largest_difference(read(path), picture), 0) << channels;
    EXPECT_THAT(header(path).notes, ElementsAre(kSixteenBits.english));
  }
}

TEST_F(Reader, TurnsPhotosUpright) {
  // Corners by EXIF 2.32, 4.6.4: where the stored top-left, top-right, bottom-left and bottom-right are seen.
  const std::array<std::array<int, 3>, 4> colours{{{200, 40, 40}, {40, 200, 40}, {40, 40, 200}, {200, 200, 40}}};
  Pixels stored{96, 64, 3};
  for (std::size_t y = 0; y < 64; ++y) {
    for (std::size_t x = 0; x < 96; ++x) {
      for (const int value : colours[(x >= 48 ? 1 : 0) + (y >= 32 ? 2 : 0)]) stored.bytes.push_back(static_cast<std::byte>(value));
    }
  }
  // Seen corners, in the same order, as numbers of stored ones.
  const std::array<std::array<std::size_t, 4>, 8> seen{
      {{0, 1, 2, 3}, {1, 0, 3, 2}, {3, 2, 1, 0}, {2, 3, 0, 1}, {0, 2, 1, 3}, {2, 0, 3, 1}, {3, 1, 2, 0}, {1, 3, 0, 2}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    const auto image = to_vips(stored);
    vips_image_set_int(image.get(), VIPS_META_ORIENTATION, orientation);
    const Pixels got = read(save(image, "o.jpg", "[Q=95]"));
    const bool lies = orientation < 5;
    ASSERT_EQ(got.width, lies ? 96U : 64U);
    ASSERT_EQ(got.height, lies ? 64U : 96U);
    for (std::size_t corner = 0; corner < 4; ++corner) {
      expect_near(colour(got, corner % 2 * (got.width - 1), corner / 2 * (got.height - 1)),
                  colours[seen[static_cast<std::size_t>(orientation) - 1][corner]], 6);
    }
  }
}

TEST_F(Reader, BringsColoursToSrgb) {
  const Pixels picture = one_colour(200, 80, 60);
  const auto image = to_vips(picture);
  const auto p3 = vips::make([&](VipsImage** out) { return vips_icc_transform(image.get(), out, "p3", "input_profile", "srgb", nullptr); });
  const auto path = save(p3, "p3.png");
  const auto raw = vips::make([&](VipsImage** out) { return vips_pngload(path.c_str(), out, nullptr); });
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&g_free)> pixels(vips_image_write_to_memory(raw.get(), &size), &g_free);
  ASSERT_LT(*static_cast<unsigned char*>(pixels.get()), 195);  // what is in the file is something else
  expect_near(colour(read(path), 8, 8), {200, 80, 60}, 1);
}

TEST_F(Reader, LeavesSrgbWithAProfileExactlyAsItIs) {
  const Pixels picture = Pixels::random(64, 64);
  const auto image = to_vips(picture);
  set_profile(image, "srgb");
  const auto path = save(image, "srgb.png");
  EXPECT_EQ(read(path).bytes, picture.bytes);
  EXPECT_THAT(header(path).notes, IsEmpty());
}

TEST_F(Reader, GoesOnWithoutAProfileThatCannotBeMeant) {
  // libvips would not write one.
  const auto tagged = to_vips(one_colour(200, 80, 60));
  set_profile(tagged, "cmyk");
  const void* cmyk = nullptr;
  std::size_t size = 0;
  ASSERT_EQ(vips_image_get_blob(tagged.get(), VIPS_META_ICC_NAME, &cmyk, &size), 0);
  const std::string jpeg = content(save(to_vips(one_colour(200, 80, 60)), "a.jpg", "[Q=95]"));
  for (const std::string& profile : {std::string(static_cast<const char*>(cmyk), std::min<std::size_t>(size, 60'000)), "no profile"s}) {
    const auto path = file("wrong.jpg", std::string(jpeg).insert(2, segment('\xE2', "ICC_PROFILE\0\1\1"s + profile)));
    EXPECT_THAT(header(path).notes, ElementsAre(kProfileIgnored.english));
    expect_near(colour(read(path), 8, 8), {200, 80, 60}, 3);
  }
}

TEST_F(Reader, ReadsPrintColours) {
  const auto image = to_vips(one_colour(200, 80, 60));
  const auto cmyk =
      vips::make([&](VipsImage** out) { return vips_icc_transform(image.get(), out, "cmyk", "input_profile", "srgb", nullptr); });
  ASSERT_EQ(cmyk->Bands, 4);
  expect_near(colour(read(save(cmyk, "with.jpg", "[Q=95]")), 8, 8), {200, 80, 60}, 8);
  vips_image_remove(cmyk.get(), VIPS_META_ICC_NAME);
  const auto path = save(cmyk, "without.jpg", "[Q=95]");
  EXPECT_FALSE(header(path).alpha());
  expect_near(colour(read(path), 8, 8), {200, 80, 60}, 8);
}

TEST_F(Reader, TakesTheFirstPictureOfAnAnimation) {
  const Pixels frames = gradient(32, 96);
  const auto image = to_vips(frames);
  vips_image_set_int(image.get(), VIPS_META_PAGE_HEIGHT, 32);
  const auto webp = save(image, "moving.webp", "[lossless]");
  EXPECT_THAT(header(webp).notes, ElementsAre(kFirstFrame.english));
  Pixels first{32, 32, 3, {frames.bytes.begin(), frames.bytes.begin() + 32 * 32 * 3}};
  EXPECT_EQ(largest_difference(read(webp), first), 0);

  const Pixels still = Pixels::random(9, 9);
  std::string png = content(save(to_vips(still), "still.png"));
  constexpr std::size_t kBehindHeader = 8 + 25;
  png.insert(kBehindHeader, chunk("acTL", big_endian(2) + big_endian(0)));
  const auto apng = file("moving.png", png);
  EXPECT_THAT(header(apng).notes, ElementsAre(kFirstFrame.english));
  EXPECT_EQ(read(apng).bytes, still.bytes);
}

TEST_F(Reader, ReadsTheSmallestAndTheThinnest) {
  for (const auto& [width, height] : {std::pair{1U, 1U}, {1U, 30'000U}, {30'000U, 1U}}) {
    const Pixels picture = Pixels::random(width, height);
    EXPECT_EQ(read(save(to_vips(picture), "thin.png")).bytes, picture.bytes);
    EXPECT_EQ(read(save(to_vips(picture), "thin.jpg")).height, height);
  }
}

TEST_F(Reader, GoesOnInAnotherThread) {
  const Pixels picture = Pixels::random(64, 640);
  const auto reader = codec_->open(save(to_vips(picture), "a.png"), {});
  ASSERT_TRUE(reader);
  Pixels got = picture;
  for (std::size_t part = 0; part < 10; ++part) {
    std::thread([&] { EXPECT_TRUE((*reader)->read(64, std::span(got.bytes).subspan(part * 64 * 64 * 3, 64 * 64 * 3))); }).join();
  }
  EXPECT_EQ(got.bytes, picture.bytes);
}

}  // namespace
}  // namespace lapse::image
