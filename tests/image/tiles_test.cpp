#include <gtest/gtest.h>

#include <lapse/image/tiles.hpp>
#include <random>
#include <vector>

namespace lapse::image {
namespace {

void expect_exact(std::size_t size, std::size_t tile, std::size_t halo) {
  SCOPED_TRACE(testing::Message() << size << " pixels, tiles of " << tile << ", halo " << halo);
  const TileAxis axis(size, tile, halo);
  ASSERT_GE(axis.count(), 1U);
  EXPECT_EQ(axis.length(), std::min(size, tile));
  std::size_t covered = 0;
  for (std::size_t i = 0; i < axis.count(); ++i) {
    ASSERT_EQ(axis.begin(i), covered) << "tile " << i;
    ASSERT_LT(axis.begin(i), axis.end(i));
    covered = axis.end(i);
    const std::size_t start = axis.start(i), stop = start + axis.length();
    ASSERT_LE(stop, size);
    // Every pixel that the used ones depend on is in the tile, or outside of the picture.
    EXPECT_LE(start, axis.begin(i) < halo ? 0 : axis.begin(i) - halo);
    EXPECT_GE(stop, std::min(size, axis.end(i) + halo));
    if (i > 0) {
      EXPECT_GT(start, axis.start(i - 1));
    }
  }
  EXPECT_EQ(covered, size);
}

TEST(TileAxis, UsesEveryPixelOnceAndHasItsSurroundings) {
  for (const std::size_t size : {1, 2, 15, 16, 17, 31, 32, 33, 100, 30'000}) {
    for (const std::size_t halo : {0, 1, 2, 7}) expect_exact(size, 16, halo);
  }
  std::mt19937 random(1);
  for (int i = 0; i < 2'000; ++i) {
    const std::size_t halo = random() % 20, tile = 2 * halo + 1 + random() % 100, size = 1 + random() % 1'000;
    expect_exact(size, tile, halo);
  }
}

TEST(TileAxis, MakesNoMoreTilesThanAreNeeded) {
  EXPECT_EQ(TileAxis(16, 16, 2).count(), 1U);
  EXPECT_EQ(TileAxis(17, 16, 2).count(), 2U);
  EXPECT_EQ(TileAxis(28, 16, 2).count(), 2U);  // 14 + 14
  EXPECT_EQ(TileAxis(29, 16, 2).count(), 3U);
}

TEST(Tiling, RefusesWhatCannotBe) {
  for (const Scaling& bad : {Scaling{0, 128, 16}, Scaling{9, 128, 16}, Scaling{2, 0, 0}, Scaling{2, 32, 16}, Scaling{2, 5000, 16}}) {
    EXPECT_EQ(Tiling::make(100, 100, bad).error().code, ErrorCode::BadModel) << bad.scale << ' ' << bad.tile << ' ' << bad.halo;
  }
  EXPECT_TRUE(Tiling::make(100, 100, Scaling{2, 33, 16}));
}

TEST(Tiling, MakesTilesLessHighWhenFewRowsAreAllowed) {
  const auto rows = [](std::size_t most) { return Tiling::make(1000, 1000, Scaling{2, 64, 8}, most)->y; };
  EXPECT_EQ(rows(SIZE_MAX).length(), 64U);
  EXPECT_EQ(rows(56).length(), 64U);
  for (const std::size_t most : {55, 20, 9}) {
    const TileAxis y = rows(most);
    for (std::size_t i = 0; i < y.count(); ++i) EXPECT_LE(y.end(i) - y.begin(i), most);
    expect_exact(1000, y.length(), 8);
  }
  EXPECT_EQ(rows(0).length(), 17U);
}

}  // namespace
}  // namespace lapse::image
