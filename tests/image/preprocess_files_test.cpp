// Preprocessing real files: through a reduced picture where the format has one, with the limits and the sentences of the whole one.

#include <array>
#include <chrono>
#include <future>
#include <lapse/image/preprocess.hpp>
#include <optional>
#include <thread>

#include "image/picture_files.hpp"

namespace lapse::image {
namespace {

using namespace std::string_literals;
using testing::Each;

class PreprocessFiles : public PictureFiles {
 protected:
  /// As they are: 0 … 255; channels last.
  static Preprocessing plain(std::size_t width, std::size_t height, std::size_t shorter) {
    constexpr float kUnit = 1.0F / 255;
    return {
        .width = width, .height = height, .resize_shorter = shorter, .mean = {}, .deviation = {kUnit, kUnit, kUnit}, .channels_last = true};
  }

  Result<std::vector<float>> preprocessed(const std::filesystem::path& path, const Preprocessing& how, const Limits& limits = {}) const {
    constexpr float kUntouched = 12345;
    const std::size_t size = 3 * how.width * how.height, around = 64;
    std::vector<float> values(size + 2 * around, kUntouched);
    const auto done = preprocess(*codec_, path, limits, how, std::span(values).subspan(around, size));
    EXPECT_THAT(std::span(values).first(around), Each(kUntouched));
    EXPECT_THAT(std::span(values).last(around), Each(kUntouched));
    if (!done) return tl::unexpected(done.error());
    return std::vector(values.begin() + around, values.begin() + static_cast<std::ptrdiff_t>(around + size));
  }

  std::vector<float> values(const std::filesystem::path& path, const Preprocessing& how) const {
    auto got = preprocessed(path, how);
    EXPECT_TRUE(got) << path << ": " << got.error().message;
    return got ? *got : std::vector<float>(3 * how.width * how.height);
  }

  std::pair<std::size_t, std::size_t> opened(const std::filesystem::path& path, std::size_t shorter) const {
    const auto reader = codec_->open(path, {}, shorter);
    EXPECT_TRUE(reader) << reader.error().message;
    return {(*reader)->header().width, (*reader)->header().height};
  }

  /// Of every kind that there is, and what is said of them.
  std::vector<std::filesystem::path> bad_files() {
    const auto image = to_vips(Pixels::random(200, 150));
    std::vector<std::filesystem::path> files{folder_ / "nowhere.jpg",
                                             folder_,
                                             file("empty.jpg", ""),
                                             file("text.jpg", "dear diary"),
                                             file("gif.jpg", "GIF89a\1\0\1\0\x80\0\0\0\0\0\xFF\xFF\xFF;"s),
                                             file("bomb.png", png_head(65'500, 65'500) + chunk("IDAT", "x") + chunk("IEND", ""))};
    for (const std::string name : {"a.jpg", "p.jpg", "a.png", "i.png", "a.webp"}) {
      const std::string whole = content(save(image, name, name[0] == 'p' || name[0] == 'i' ? "[interlace]" : ""));
      for (const std::size_t part : {5, 50, 99}) {
        files.push_back(file("cut_" + std::to_string(part) + name, whole.substr(0, whole.size() * part / 100)));
      }
      if (name == "a.webp") continue;
      std::string damaged = whole;
      for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 600; ++i) damaged[i] = static_cast<char>(i * 7);
      files.push_back(file("damaged_" + name, damaged));
    }
    return files;
  }

  std::vector<std::filesystem::path> good_files() {
    std::vector<std::filesystem::path> files;
    const Pixels picture = gradient(320, 240);
    for (const std::string name : {"a.jpg", "p.jpg", "a.png", "i.png", "a.webp", "a.heic", "a.avif"}) {
      if (!codec_->reads(*format_of_suffix(std::filesystem::path(name).extension().string()))) continue;
      files.push_back(save(to_vips(picture), "good_" + name, name[0] == 'p' || name[0] == 'i' ? "[interlace]" : ""));
    }
    files.push_back(save(to_vips(gradient(90, 120, 1), VIPS_INTERPRETATION_B_W), "grey.jpg"));
    files.push_back(save(to_vips(gradient(90, 120, 4)), "alpha.png"));
    const auto turned = to_vips(picture);
    vips_image_set_int(turned.get(), VIPS_META_ORIENTATION, 6);
    files.push_back(save(turned, "turned.jpg"));
    return files;
  }
};

TEST_F(PreprocessFiles, OpensAJpegSmallerWhereItsShorterSideStaysTwiceAsLong) {
  const auto jpeg = save(to_vips(gradient(325, 243)), "a.jpg"), png = save(to_vips(gradient(325, 243)), "a.png");
  EXPECT_EQ(opened(jpeg, 0), (std::pair{325UL, 243UL}));
  EXPECT_EQ(opened(jpeg, 61), (std::pair{325UL, 243UL}));
  EXPECT_EQ(opened(jpeg, 60), (std::pair{162UL, 121UL}));
  EXPECT_EQ(opened(jpeg, 31), (std::pair{162UL, 121UL}));
  EXPECT_EQ(opened(jpeg, 30), (std::pair{81UL, 60UL}));
  EXPECT_EQ(opened(jpeg, 15), (std::pair{40UL, 30UL}));
  EXPECT_EQ(opened(jpeg, 1), (std::pair{40UL, 30UL}));
  EXPECT_EQ(opened(png, 15), (std::pair{325UL, 243UL}));
}

TEST_F(PreprocessFiles, HasOneColourWhereTheFileHas) {
  for (const char* name : {"a.jpg", "a.png", "a.webp"}) {
    const auto path = save(to_vips(Pixels{500, 400, 3, std::vector(600'000, std::byte{77})}), name);
    for (const std::size_t shorter : {16, 32, 64, 150, 600})
      EXPECT_THAT(values(path, plain(16, 10, shorter)), Each(testing::FloatNear(77, 1e-3F)));
  }
}

TEST_F(PreprocessFiles, NormalisesAsThePictureIsStored) {
  Pixels picture = Pixels::random(24, 24);
  const Preprocessing how{.width = 24, .height = 24, .resize_shorter = 24};
  const auto got = values(save(to_vips(picture), "a.png"), how);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::size_t c = i / 576;
    const auto value = static_cast<float>(std::to_integer<int>(picture.at(i % 24, i / 24 % 24, c)));
    ASSERT_EQ(got[i], (value / 255 - how.mean[c]) / how.deviation[c]) << i;
  }
}

TEST_F(PreprocessFiles, MakesOfAReducedJpegWhatTheWholePictureGives) {
  // A picture without fine texture: whatever the filters, its means are the same.
  Pixels picture{640, 480};
  for (std::size_t y = 0; y < 480; ++y) {
    for (std::size_t x = 0; x < 640; ++x) {
      for (const std::size_t value : {x * 250 / 640, y * 250 / 480, (x + y) * 250 / 1120})
        picture.bytes.push_back(static_cast<std::byte>(value));
    }
  }
  const auto png = save(to_vips(picture), "a.png"), jpeg = save(to_vips(picture), "a.jpg", "[Q=95]");
  for (const std::size_t shorter : {30, 50, 100, 200, 500}) {
    const auto whole = values(png, plain(28, 24, shorter)), reduced = values(jpeg, plain(28, 24, shorter));
    for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_NEAR(whole[i], reduced[i], 3) << shorter << " at " << i;
  }
}

TEST_F(PreprocessFiles, TurnsReducedPhotosUpright) {
  // As Reader.TurnsPhotosUpright: which stored corner is seen top-left, top-right, bottom-left and bottom-right.
  const std::array<int, 4> greys{20, 90, 160, 230};
  Pixels stored{480, 320};
  for (std::size_t y = 0; y < 320; ++y) {
    for (std::size_t x = 0; x < 480; ++x)
      stored.bytes.insert(stored.bytes.end(), 3, static_cast<std::byte>(greys[(x >= 240 ? 1 : 0) + (y >= 160 ? 2 : 0)]));
  }
  const std::array<std::array<std::size_t, 4>, 8> seen{
      {{0, 1, 2, 3}, {1, 0, 3, 2}, {3, 2, 1, 0}, {2, 3, 0, 1}, {0, 2, 1, 3}, {2, 0, 3, 1}, {3, 1, 2, 0}, {1, 3, 0, 2}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    const auto image = to_vips(stored);
    vips_image_set_int(image.get(), VIPS_META_ORIENTATION, orientation);
    const auto path = save(image, "o.jpg", "[Q=95]");
    EXPECT_EQ(opened(path, 20), orientation < 5 ? (std::pair{60UL, 40UL}) : (std::pair{40UL, 60UL}));
    const auto got = values(path, plain(20, 20, 20));
    for (std::size_t corner = 0; corner < 4; ++corner) {
      const std::size_t x = corner % 2 * 19, y = corner / 2 * 19;
      EXPECT_NEAR(got[(y * 20 + x) * 3], greys[seen[static_cast<std::size_t>(orientation) - 1][corner]], 3) << corner;
    }
  }
}

TEST_F(PreprocessFiles, BringsEveryKindOfColourToRgb) {
  const auto expect_colour = [&](const std::filesystem::path& path, const std::array<float, 3>& wanted, float tolerance) {
    const auto got = values(path, plain(8, 8, 10));
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], wanted[i % 3], tolerance) << path;
  };
  const auto filled = [](std::initializer_list<int> colour) {
    Pixels pixels{200, 160, colour.size()};
    for (int i = 0; i < 32'000; ++i) {
      for (const int value : colour) pixels.bytes.push_back(static_cast<std::byte>(value));
    }
    return pixels;
  };
  expect_colour(save(to_vips(filled({90}), VIPS_INTERPRETATION_B_W), "grey.jpg"), {90, 90, 90}, 1);
  expect_colour(save(to_vips(filled({90, 51}), VIPS_INTERPRETATION_B_W), "grey_alpha.png"), {222, 222, 222}, 1e-3F);
  expect_colour(save(to_vips(filled({200, 80, 60, 51})), "alpha.png"), {244, 220, 216}, 1e-3F);
  const auto image = to_vips(filled({200, 80, 60}));
  const auto cmyk =
      vips::make([&](VipsImage** out) { return vips_icc_transform(image.get(), out, "cmyk", "input_profile", "srgb", nullptr); });
  expect_colour(save(cmyk, "cmyk.jpg", "[Q=95]"), {200, 80, 60}, 8);
  const auto wide = vips::make([&](VipsImage** out) { return vips_linear1(image.get(), out, 257, 0, nullptr); });
  const auto cast = vips::make([&](VipsImage** out) { return vips_cast_ushort(wide.get(), out, nullptr); });
  const auto sixteen =
      vips::make([&](VipsImage** out) { return vips_copy(cast.get(), out, "interpretation", VIPS_INTERPRETATION_RGB16, nullptr); });
  expect_colour(save(sixteen, "sixteen.png"), {200, 80, 60}, 1e-3F);
}

TEST_F(PreprocessFiles, TellsOfABadFileWhatIsToldOfTheWholePicture) {
  for (const auto& path : bad_files()) {
    const auto whole = decode(path);
    ASSERT_FALSE(whole) << path;
    for (const std::size_t shorter : {16, 40, 150}) {
      const auto reduced = preprocessed(path, plain(16, 16, shorter));
      ASSERT_FALSE(reduced) << path << " to " << shorter;
      EXPECT_EQ(reduced.error().message, whole.error().message) << path;
      EXPECT_EQ(reduced.error().hint, whole.error().hint) << path;
    }
  }
}

TEST_F(PreprocessFiles, HasTheLimitsOfTheWholePicture) {
  const auto jpeg = save(to_vips(gradient(320, 240)), "a.jpg"), progressive = save(to_vips(gradient(320, 240)), "p.jpg", "[interlace]");
  const auto says = [&](const std::filesystem::path& path, const Limits& limits) {
    const auto got = preprocessed(path, plain(16, 16, 16), limits);
    return got ? "" : got.error().message;
  };
  Limits pixels, side, whole, bytes, time;
  pixels.pixels = 76'799;
  side.side = 319;
  whole.whole = 76'799;
  bytes.bytes = 100;
  time.time = Duration{1};
  EXPECT_EQ(says(jpeg, pixels), kTooManyPixels.sentence.english);
  EXPECT_EQ(says(jpeg, side), kTooLong.sentence.english);
  EXPECT_EQ(says(progressive, whole), kTooLargeWhole.sentence.english);
  EXPECT_EQ(says(jpeg, bytes), kTooManyBytes.sentence.english);
  EXPECT_EQ(says(jpeg, time), kTooSlow.sentence.english);
  EXPECT_EQ(says(jpeg, {}), "");
}

TEST_F(PreprocessFiles, ReadsGoodFilesWhileOthersAreRead) {
  // Somebody else is in the middle of his calls: who wanted to be alone would wait for him.
  for (const auto& path : good_files()) {
    if (path.extension() == ".heic" || path.extension() == ".avif") continue;  // these are read alone
    std::optional<vips::Calls> other(std::in_place, false);
    auto reading = std::async(std::launch::async, [&] { return preprocessed(path, plain(16, 16, 16)).has_value(); });
    EXPECT_EQ(reading.wait_for(std::chrono::seconds{20}), std::future_status::ready) << path;
    other.reset();
    EXPECT_TRUE(reading.get()) << path;
  }
}

TEST_F(PreprocessFiles, GivesEveryThreadItsOwnErrorsAndTheSameBits) {
  struct File {
    std::filesystem::path path;
    Result<std::vector<float>> wanted;
  };
  std::vector<File> files;
  for (const auto& path : good_files()) files.push_back({path, preprocessed(path, plain(16, 16, 16))});
  for (const auto& path : bad_files()) files.push_back({path, preprocessed(path, plain(16, 16, 16))});
  constexpr std::size_t kThreads = 6, kRounds = 4;
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < kRounds * files.size(); ++i) {
        // Each in an order of its own.
        const File& file = files[(thread * 5 + i * (thread % 2 == 0 ? 1 : files.size() - 1)) % files.size()];
        const auto got = preprocessed(file.path, plain(16, 16, 16));
        ASSERT_EQ(got.has_value(), file.wanted.has_value()) << file.path << ": " << (got ? "" : got.error().message);
        if (got) {
          EXPECT_EQ(*got, *file.wanted) << file.path;
        } else {
          EXPECT_EQ(got.error().message, file.wanted.error().message) << file.path;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace lapse::image
