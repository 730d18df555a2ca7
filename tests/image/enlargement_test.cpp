#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/image/enlargement.hpp>

#include "image/made_up_photo.hpp"
#include "image/small_network.hpp"

namespace lapse::image {
namespace {

Planes planes_of(const Pixels& pixels, bool alpha) {
  Planes planes{3, pixels.height, pixels.width};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < pixels.width * pixels.height; ++i) {
      planes.values.push_back(static_cast<float>(std::to_integer<int>(pixels.bytes[i * pixels.channels + (alpha ? 3 : c)])) / 255.0F);
    }
  }
  return planes;
}

/// The network on the whole picture, rounded to bytes.
Pixels whole(const Pixels& in, const SmallNetwork& network) {
  Pixels out{in.width * network.scale(), in.height * network.scale(), in.channels};
  out.bytes.resize(out.width * out.height * out.channels);
  for (std::size_t c = 0; c < in.channels; ++c) {
    const Planes planes = network(planes_of(in, c == 3));
    for (std::size_t i = 0; i < out.width * out.height; ++i) {
      const float value = planes.values[(c == 3 ? 0 : c) * out.width * out.height + i] * 255.0F + 0.5F;
      out.bytes[i * out.channels + c] = static_cast<std::byte>(static_cast<int>(std::clamp(value, 0.0F, 255.0F)));
    }
  }
  return out;
}

class Work {
 public:
  Work(const Pixels& in, const Scaling& scaling, std::size_t readable = SIZE_MAX, std::size_t room = SIZE_MAX)
      : out_{in.width * scaling.scale, in.height * scaling.scale, in.channels} {
    auto made = Enlargement::make(std::make_unique<MadeUpReader>(in, readable), std::make_unique<MadeUpWriter>(out_, room), scaling);
    EXPECT_TRUE(made);
    enlargement_ = std::move(*made);
  }
  Enlargement& operator*() { return *enlargement_; }
  Enlargement* operator->() { return enlargement_.get(); }
  const Pixels& out() const { return out_; }

  Result<std::optional<std::size_t>> next() {
    const auto [channels, rows, columns] = enlargement_->shape();
    input_ = {channels, rows, columns, std::vector<float>(channels * rows * columns)};
    return enlargement_->next(input_.values);
  }
  const Planes& input() const { return input_; }

 private:
  Pixels out_;
  std::unique_ptr<Enlargement> enlargement_;
  Planes input_;
};

/// Tiles come back in disorder, as several are under way.
Pixels tiled(const Pixels& in, const SmallNetwork& network, const Scaling& scaling, unsigned seed = 3) {
  Work work(in, scaling);
  std::mt19937 random(seed);
  std::vector<std::pair<std::size_t, Planes>> under_way;
  std::size_t passes = 0;
  while (work->done() < work->total()) {
    const auto index = work.next();
    EXPECT_TRUE(index);
    if (*index) {
      under_way.emplace_back(**index, network(work.input()));
      ++passes;
    }
    if (under_way.empty() || (*index && under_way.size() < 5)) continue;
    std::swap(under_way[random() % under_way.size()], under_way.back());
    EXPECT_TRUE(work->put(under_way.back().first, under_way.back().second.values));
    under_way.pop_back();
  }
  EXPECT_TRUE(work->all());
  EXPECT_EQ(passes, work->total());
  EXPECT_FALSE(work.next()->has_value());
  EXPECT_TRUE(work->finish());
  return work.out();
}

struct Shape {
  std::size_t width, height;
};

TEST(Enlargement, IsTheWholePictureBitForBit) {
  constexpr std::size_t kTile = 16;
  for (const Shape shape : {Shape{1, 1},
                            {1, 300},
                            {300, 1},
                            {5, 7},
                            {kTile - 1, kTile - 1},
                            {kTile, kTile},
                            {kTile + 1, kTile},
                            {kTile, kTile + 1},
                            {kTile + 1, kTile + 1},
                            {28, 28},
                            {29, 29},
                            {63, 41},
                            {3, 100},
                            {100, 3}}) {
    for (const std::size_t scale : {1, 2, 3}) {
      const SmallNetwork network(scale);
      const Pixels in = Pixels::random(shape.width, shape.height);
      const Pixels expected = whole(in, network), got = tiled(in, network, {scale, kTile, SmallNetwork::kHalo});
      EXPECT_EQ(got.bytes, expected.bytes) << shape.width << " x " << shape.height << ", scale " << scale;
    }
  }
}

TEST(Enlargement, IsTheWholePictureForAnyTileAndHalo) {
  std::mt19937 random(11);
  const SmallNetwork network(2);
  for (int i = 0; i < 60; ++i) {
    const std::size_t halo = SmallNetwork::kHalo + random() % 4, tile = 2 * halo + 1 + random() % 20;
    const Pixels in = Pixels::random(1 + random() % 60, 1 + random() % 60, 3, static_cast<unsigned>(i));
    EXPECT_EQ(tiled(in, network, {2, tile, halo}, static_cast<unsigned>(i)).bytes, whole(in, network).bytes)
        << in.width << " x " << in.height << ", tile " << tile << ", halo " << halo;
  }
}

TEST(Enlargement, TakesAStripOfOnePixelByThirtyThousand) {
  const SmallNetwork network(2);
  for (const Shape shape : {Shape{1, 30'000}, {30'000, 1}}) {
    const Pixels in = Pixels::random(shape.width, shape.height);
    EXPECT_EQ(tiled(in, network, {2, 64, 2}).bytes, whole(in, network).bytes);
  }
}

TEST(Enlargement, ShowsASeamWhenTheHaloIsTooSmall) {
  // So that the cases above would notice one.
  const SmallNetwork network(2);
  const Pixels in = Pixels::random(40, 40);
  EXPECT_NE(tiled(in, network, {2, 16, SmallNetwork::kHalo - 1}).bytes, whole(in, network).bytes);
}

TEST(Enlargement, EnlargesAlphaAsAGreyPicture) {
  const SmallNetwork network(2);
  const Pixels in = Pixels::random(40, 33, 4);
  EXPECT_EQ(tiled(in, network, {2, 16, 2}).bytes, whole(in, network).bytes);
}

TEST(Enlargement, LeavesOpaqueAndTransparentTilesAsTheyAreWithoutAPass) {
  Pixels in = Pixels::random(40, 40, 4);
  for (std::size_t y = 0; y < 40; ++y) {
    for (std::size_t x = 0; x < 40; ++x) in.at(x, y, 3) = std::byte{static_cast<unsigned char>(y < 20 ? 255 : 0)};
  }
  Work work(in, {2, 20, 4});
  const SmallNetwork network(2);
  std::size_t passes = 0, alpha_passes = 0;
  while (work->done() < work->total()) {
    const auto index = work.next();
    ASSERT_TRUE(index && *index);
    ++passes;
    alpha_passes += **index % 2;
    ASSERT_TRUE(work->put(**index, network(work.input()).values));
  }
  EXPECT_EQ(work->total(), 2U * 9);
  EXPECT_EQ(passes, 9 + alpha_passes);
  EXPECT_EQ(alpha_passes, 3U);  // of the middle row of tiles, where both meet
  Pixels out = work.out();
  EXPECT_EQ(out.at(0, 0, 3), std::byte{255});
  EXPECT_EQ(out.at(79, 79, 3), std::byte{0});
}

TEST(Enlargement, HandsOutTwoRowsOfTilesAndThenWaits) {
  Work work(Pixels::random(100, 100), {2, 20, 4});
  const SmallNetwork network(2);
  std::vector<std::pair<std::size_t, Planes>> out;
  while (const auto index = *work.next()) out.emplace_back(*index, network(work.input()));
  EXPECT_EQ(out.size(), 2U * 8);
  EXPECT_FALSE(work->all());
  for (std::size_t i = 0; i < 8; ++i) ASSERT_TRUE(work->put(out[i].first, out[i].second.values));
  EXPECT_EQ(work->done(), 8U);
  EXPECT_EQ(work.out().bytes.size(), 200U * 3 * 2 * 16);  // the first row of tiles is written: 16 of its 20 rows are its own
  EXPECT_EQ(**work.next(), 16U);
}

TEST(Enlargement, TakesAnyNumberForAPixel) {
  Work work(Pixels::random(2, 1), {1, 16, 2});
  ASSERT_TRUE(*work.next());
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(work->put(0, std::vector<float>{nan, inf, -inf, 2.0F, -1.0F, 0.5F}));
  Pixels out = work.out();
  EXPECT_EQ(out.bytes, (std::vector<std::byte>{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{255}, std::byte{255}, std::byte{128}}));
}

TEST(Enlargement, EndsWithTheReadersError) {
  Work work(Pixels::random(40, 100), {2, 20, 4}, 30);
  std::size_t tiles = 0;
  auto index = work.next();
  for (; index && *index; index = work.next()) ++tiles;
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().message, "the file ends before the picture does");
  EXPECT_EQ(tiles, 3U);
  EXPECT_FALSE(work.next());
}

TEST(Enlargement, EndsWithTheWritersError) {
  Work work(Pixels::random(10, 40), {2, 20, 4}, SIZE_MAX, 33);
  const SmallNetwork network(2);
  Result<void> put;
  while (put) {
    const auto index = work.next();
    ASSERT_TRUE(index && *index);
    put = work->put(**index, network(work.input()).values);
  }
  EXPECT_EQ(put.error().message, "the disk is full");
}

}  // namespace
}  // namespace lapse::image
