#pragma once
// How a picture is cut into tiles so that the enlarged tiles, put together, are the enlarged picture bit for bit.
//
// Every tile has one size, which an engine's result may depend on in its last bit. Neighbours overlap by twice the halo, the network's
// receptive field to one side: of a tile's output only that is used which no pixel outside of the tile could have changed. The last tile of
// a row or column is moved inward rather than cut, so that at a picture's border a tile ends too and the network pads there as it does for
// the whole picture. A picture smaller than a tile is one tile of its own size, in that direction.
//
// Unit: pixels of the picture (input), unless it says enlarged.

#include <cstddef>
#include <cstdint>
#include <lapse/base/error.hpp>

namespace lapse::image {

/// What a model says of itself: in how many pixels one becomes (scale²), and how it wants to be fed.
struct Scaling {
  std::size_t scale = 2;
  std::size_t tile = 128;  // side of a tile, its halo included
  std::size_t halo = 16;   // pixels to one side that an output pixel depends on; more is allowed
};

/// One direction.
class TileAxis {
 public:
  TileAxis(std::size_t size, std::size_t tile, std::size_t halo);
  std::size_t count() const noexcept { return count_; }
  std::size_t length() const noexcept { return tile_; }  // of every tile
  std::size_t start(std::size_t i) const noexcept;
  /// Whose output is tile i's: [begin, end).
  std::size_t begin(std::size_t i) const noexcept { return i == 0 ? 0 : i * core_ + halo_; }
  std::size_t end(std::size_t i) const noexcept { return i + 1 == count_ ? size_ : begin(i + 1); }

 private:
  std::size_t size_, tile_, halo_, core_, count_;
};

/// Both: tiles row by row, from the left.
struct Tiling {
  TileAxis x, y;
  /// Tiles are less high where their own rows were more than `most_rows` otherwise (but for one, which there always is). Error: BadModel
  /// for a scaling that can't be: a scale of 0 or above 8, no pixel left between two halos.
  static Result<Tiling> make(std::size_t width, std::size_t height, const Scaling& scaling, std::size_t most_rows = SIZE_MAX);
  std::size_t count() const noexcept { return x.count() * y.count(); }
};

}  // namespace lapse::image
