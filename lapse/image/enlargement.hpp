#pragma once
// One photo on its way through a model: tiles out, enlarged tiles in, rows to the writer as soon as they are whole.
//
// Memory: the rows of one row of tiles, and what one or two of them become; whatever the size of the photo.
// Alpha is enlarged as a grey picture by the same network, a tile behind each tile of colours. Where it is the same all over a tile, all
// opaque or all transparent, it stays so without a pass.
// Threads: one calls next, one calls put and finish (the same, or another); the rest is for any.

#include <array>
#include <atomic>
#include <deque>
#include <lapse/image/photo.hpp>
#include <lapse/image/tiles.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace lapse::image {

class Enlargement {
 public:
  /// The writer was made for `scaling.scale` times the reader's picture. Error: that of Tiling::make.
  static Result<std::unique_ptr<Enlargement>> make(std::unique_ptr<PhotoReader> reader, std::unique_ptr<PhotoWriter> writer,
                                                   const Scaling& scaling);

  /// Of every tile: channels (3), rows, columns. An enlarged one has the same channels and `scale` times the rows and columns.
  std::array<std::size_t, 3> shape() const noexcept { return {3, tiling_.y.length(), tiling_.x.length()}; }
  const Header& header() const noexcept { return reader_->header(); }

  /// Fills `slot` (the product of shape()) with RGB of 0..1, channel by channel, and returns the tile's index. Nothing: outputs have to
  /// come in first, or all() is true. Blocks while the file is decoded. Errors: the reader's, which are final.
  Result<std::optional<std::size_t>> next(std::span<float> slot);
  /// Every tile is out.
  bool all() const noexcept { return handed_ == total_; }

  /// What became of the tile, each index once, in any order. Blocks while the writer is behind. Errors: the writer's, which are final.
  Result<void> put(std::size_t index, std::span<const float> output);
  /// Once, when done() is total(): waits for the writer.
  Result<void> finish() { return writer_->finish(); }

  std::size_t done() const noexcept { return done_; }
  std::size_t total() const noexcept { return total_; }

 private:
  // The enlarged rows of one row of tiles.
  struct Band {
    std::size_t first = 0, rows = 0;  // enlarged
    std::size_t missing = 0;          // tiles
    std::vector<std::byte> pixels;
  };
  struct Place {
    std::size_t row, column, plane;
  };

  Enlargement(std::unique_ptr<PhotoReader> reader, std::unique_ptr<PhotoWriter> writer, const Scaling& scaling, const Tiling& tiling);
  Place place(std::size_t index) const noexcept;
  std::size_t band_bytes(std::size_t row) const noexcept;
  bool open_band(std::size_t row);
  Band& band(std::size_t row);
  void arrived(Band& band);
  Result<void> load_rows(std::size_t row);
  const std::byte* tile_row(const Place& place, std::size_t y) const noexcept;
  void fill(const Place& place, std::span<float> slot) const noexcept;
  /// The alpha of the whole tile, if it is all opaque or all transparent.
  std::optional<std::byte> even_alpha(const Place& place) const noexcept;
  void spread_alpha(const Place& place, std::byte alpha);
  /// Calls `write(to, y, x, columns)` for every enlarged row of the tile's own part: where it goes, and where in the output it begins.
  template <class Write>
  void for_own_rows(const Place& place, Band& band, Write write) const;

  const std::unique_ptr<PhotoReader> reader_;
  const std::unique_ptr<PhotoWriter> writer_;
  const Scaling scaling_;
  const Tiling tiling_;
  const std::size_t channels_, planes_, total_;
  std::size_t most_bands_ = 2;

  // Of the thread that calls next.
  std::vector<std::byte> strip_;  // rows of the picture that the current row of tiles covers
  std::size_t strip_top_ = 0, strip_rows_ = 0;
  std::atomic<std::size_t> handed_{0};

  std::mutex mutex_;
  std::deque<std::unique_ptr<Band>> bands_;  // in their order
  std::size_t first_band_ = 0;               // row of tiles of the first of them
  std::atomic<std::size_t> done_{0};
};

}  // namespace lapse::image
