#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <lapse/image/preprocess.hpp>

#include "image/made_up_photo.hpp"

namespace lapse::image {
namespace {

using testing::Each;
using testing::HasSubstr;

class MadeUpCodec final : public Codec {
 public:
  explicit MadeUpCodec(Pixels pixels, std::size_t good = SIZE_MAX) : pixels_(std::move(pixels)), good_(good) {}
  std::string version() const override { return "made up"; }
  bool reads(Format) const override { return true; }
  bool writes(Format) const override { return false; }
  Result<std::unique_ptr<PhotoReader>> open(const std::filesystem::path&, const Limits&, std::size_t) const override {
    return std::make_unique<MadeUpReader>(pixels_, good_);
  }
  Result<std::unique_ptr<PhotoWriter>> create(const WriteOptions&, Sink) const override { return fail(ErrorCode::Unsupported, ""); }

 private:
  const Pixels pixels_;
  const std::size_t good_;
};

/// As they are: 0 … 255.
Preprocessing plain(std::size_t width, std::size_t height, std::size_t shorter) {
  return {.width = width, .height = height, .resize_shorter = shorter, .mean = {}, .deviation = {1.0F / 255, 1.0F / 255, 1.0F / 255}};
}

std::vector<float> preprocessed(const Pixels& picture, const Preprocessing& how) {
  std::vector<float> values(3 * how.width * how.height);
  const auto done = preprocess(MadeUpCodec(picture), "", {}, how, values);
  EXPECT_TRUE(done) << done.error().message;
  return values;
}

Pixels filled(std::size_t width, std::size_t height, const std::vector<int>& colour) {
  Pixels pixels{width, height, colour.size()};
  for (std::size_t i = 0; i < width * height; ++i) {
    for (const int value : colour) pixels.bytes.push_back(static_cast<std::byte>(value));
  }
  return pixels;
}

/// One channel's value of a pixel of the resized picture, from all pixels of the whole one, by the definition.
double resized_at(Pixels& picture, double scale_x, double scale_y, std::size_t x, std::size_t y, std::size_t c) {
  const auto weight = [](std::size_t from, double centre, double scale) {
    return std::max(1 - std::abs(static_cast<double>(from) + 0.5 - centre) / std::max(scale, 1.0), 0.0);
  };
  double sum = 0, weights = 0;
  for (std::size_t v = 0; v < picture.height; ++v) {
    for (std::size_t u = 0; u < picture.width; ++u) {
      const double w =
          weight(u, (static_cast<double>(x) + 0.5) * scale_x, scale_x) * weight(v, (static_cast<double>(y) + 0.5) * scale_y, scale_y);
      sum += w * std::to_integer<int>(picture.at(u, v, c));
      weights += w;
    }
  }
  return sum / weights;
}

TEST(Preprocess, LeavesOneColourExactlyAsItIs) {
  const Preprocessing how{.width = 20, .height = 14, .resize_shorter = 22};
  for (const auto& [width, height] : {std::pair{57U, 91U}, {22U, 22U}, {9U, 13U}, {1U, 1U}, {1U, 3000U}, {3000U, 1U}}) {
    for (const std::vector<int>& colour : {std::vector{200, 80, 60}, {0, 255, 1}, {254, 127, 128}}) {
      const auto values = preprocessed(filled(width, height, colour), how);
      for (std::size_t c = 0; c < 3; ++c) {
        const float wanted = (static_cast<float>(colour[c]) / 255 - how.mean[c]) / how.deviation[c];
        EXPECT_THAT(std::span(values).subspan(c * 280, 280), Each(wanted)) << width << " x " << height << ", channel " << c;
      }
    }
  }
}

TEST(Preprocess, NeitherMovesNorBlursAPictureThatHasTheSize) {
  Pixels picture = Pixels::random(16, 16);
  Preprocessing how = plain(16, 16, 16);
  const auto planes = preprocessed(picture, how);
  how.channels_last = true;
  const auto pixels = preprocessed(picture, how);
  for (std::size_t y = 0; y < 16; ++y) {
    for (std::size_t x = 0; x < 16; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const int wanted = std::to_integer<int>(picture.at(x, y, c));
        ASSERT_NEAR(planes[(c * 16 + y) * 16 + x], wanted, 1e-4);
        ASSERT_NEAR(pixels[(y * 16 + x) * 3 + c], wanted, 1e-4);
      }
    }
  }
}

TEST(Preprocess, TakesMeansWhoseWeightsFallLinearly) {
  // By hand: columns 0 100 200 100 become two. The first's centre lies at 1, so the weights are 3/4 3/4 1/4 of 7/4: 125 / 1.75 = 71.4; the
  // second's at 3: 1/4 3/4 3/4 from the second column on, (25 + 150 + 75) / 1.75 = 142.9.
  Pixels picture{4, 4, 3};
  for (int y = 0; y < 4; ++y) {
    for (const int value : {0, 100, 200, 100}) picture.bytes.insert(picture.bytes.end(), 3, static_cast<std::byte>(value));
  }
  const auto values = preprocessed(picture, plain(2, 2, 2));
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], i % 2 == 0 ? 71 : 143, 1e-3) << i;
}

TEST(Preprocess, ResizesAsDefinedAndKeepsTheMiddle) {
  for (const auto& [width, height] : {std::pair{61U, 47U}, {47U, 130U}, {9U, 8U}, {200U, 11U}}) {
    Pixels picture = Pixels::random(width, height);
    const auto values = preprocessed(picture, plain(12, 10, 15));
    const std::size_t shorter = std::min(width, height);
    const std::size_t resized_width = width * 15 / shorter, resized_height = height * 15 / shorter;
    const auto left = static_cast<std::size_t>(std::nearbyint(static_cast<double>(resized_width - 12) / 2));
    const auto top = static_cast<std::size_t>(std::nearbyint(static_cast<double>(resized_height - 10) / 2));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t x = i % 12, y = i / 12 % 10, c = i / 120;
      const double wanted = resized_at(picture, static_cast<double>(width) / static_cast<double>(resized_width),
                                       static_cast<double>(height) / static_cast<double>(resized_height), left + x, top + y, c);
      ASSERT_NEAR(values[i], wanted, 0.501) << width << " x " << height << " at " << x << ", " << y << ", " << c;
    }
  }
}

TEST(Preprocess, CutsWhereTorchvisionDoes) {
  // round() of Python, by which it goes, rounds 7.5 to 8 and 8.5 to 8.
  for (const auto& [width, left] : {std::pair{20U, 7U}, {21U, 8U}, {22U, 8U}, {23U, 8U}, {24U, 9U}}) {
    Pixels picture = Pixels::random(width, 10);
    const auto values = preprocessed(picture, plain(6, 4, 10));
    for (std::size_t x = 0; x < 6; ++x) ASSERT_NEAR(values[x], std::to_integer<int>(picture.at(left + x, 3, 0)), 1e-4) << width;
  }
}

TEST(Preprocess, PutsWhatIsTransparentOverWhite) {
  const auto half = preprocessed(filled(40, 30, {200, 80, 0, 128}), plain(10, 10, 12));
  constexpr std::array kWanted{227.0F, 167.0F, 127.0F};
  for (std::size_t c = 0; c < 3; ++c) EXPECT_THAT(std::span(half).subspan(c * 100, 100), Each(testing::FloatNear(kWanted[c], 1e-3F)));
  EXPECT_THAT(preprocessed(filled(40, 30, {200, 80, 0, 0}), plain(10, 10, 12)), Each(testing::FloatNear(255, 1e-3F)));
  EXPECT_THAT(preprocessed(filled(40, 30, {7, 7, 7, 255}), plain(10, 10, 12)), Each(testing::FloatNear(7, 1e-3F)));
}

TEST(Preprocess, MeetsWhatIsWrongBelowItsMiddleAndWritesNothingBeyond) {
  constexpr float kUntouched = 12345;
  const Preprocessing how = plain(8, 4, 16);
  std::vector<float> around(3 * 8 * 4 + 200, kUntouched);
  const auto to = std::span(around).subspan(100, 3 * 8 * 4);
  for (const std::size_t good : {0U, 40U, 99U}) {
    const auto done = preprocess(MadeUpCodec(Pixels::random(80, 100), good), "", {}, how, to);
    ASSERT_FALSE(done) << good;
    EXPECT_EQ(done.error().message, "the file ends before the picture does");
  }
  ASSERT_TRUE(preprocess(MadeUpCodec(Pixels::random(80, 100), 100), "", {}, how, to));
  EXPECT_THAT(std::span(around).first(100), Each(kUntouched));
  EXPECT_THAT(std::span(around).last(100), Each(kUntouched));
  EXPECT_THAT(to, Each(testing::Ne(kUntouched)));
}

TEST(Preprocess, RefusesWhatCannotBe) {
  std::vector<float> values(3 * 8 * 4);
  const auto says = [&](const Preprocessing& how) {
    const auto done = preprocess(MadeUpCodec(Pixels::random(80, 100)), "", {}, how, values);
    EXPECT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::BadUse);
    return done.error().message;
  };
  EXPECT_THAT(says(plain(8, 4, 7)), HasSubstr("8 x 4 pixels can't be cut out of a picture whose shorter side is resized to 7"));
  EXPECT_THAT(says(plain(0, 4, 7)), HasSubstr("0 x 4 pixels"));
  EXPECT_THAT(says(plain(4, 4, 8)), HasSubstr("48 values, and there is room for 96"));
  Preprocessing how = plain(8, 4, 8);
  how.deviation[1] = 0;
  EXPECT_THAT(says(how), HasSubstr("standard deviation"));
}

}  // namespace
}  // namespace lapse::image
