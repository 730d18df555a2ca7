#include <fmt/format.h>

#include <algorithm>
#include <lapse/image/tiles.hpp>

namespace lapse::image {

TileAxis::TileAxis(std::size_t size, std::size_t tile, std::size_t halo)
    : size_(size), tile_(std::min(size, tile)), halo_(halo), core_(tile - 2 * halo), count_(1) {
  if (size > tile) count_ += (size - tile + core_ - 1) / core_;
}

std::size_t TileAxis::start(std::size_t i) const noexcept { return std::min(i * core_, size_ - tile_); }

Result<Tiling> Tiling::make(std::size_t width, std::size_t height, const Scaling& scaling, std::size_t most_rows) {
  constexpr std::size_t kScale = 8, kTile = 4096;
  const auto& [scale, tile, halo] = scaling;
  if (scale < 1 || scale > kScale || tile < 1 || tile > kTile || halo >= (tile + 1) / 2) {
    return fail(ErrorCode::BadModel, fmt::format("a photo can't be enlarged {} times in tiles of {} with a halo of {}", scale, tile, halo),
                fmt::format("scale is at most {}, tile at most {} and larger than two halos", kScale, kTile));
  }
  const std::size_t most = std::max<std::size_t>(most_rows, 1);
  // The first tile has the most rows of its own: all but one halo.
  const std::size_t rows = tile - halo <= most ? tile : std::max(most + halo, 2 * halo + 1);
  return Tiling{{width, tile, halo}, {height, rows, halo}};
}

}  // namespace lapse::image
