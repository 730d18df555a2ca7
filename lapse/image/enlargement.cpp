#include <algorithm>
#include <cassert>
#include <cstring>
#include <lapse/image/enlargement.hpp>

namespace lapse::image {
namespace {

constexpr std::byte kOpaque{255}, kTransparent{0};

// Of all bands. Two of them let the model go on while the last tiles of the first are on their way; where a picture is so wide that they
// took more than this, one has to do, and if need be of less rows.
constexpr std::size_t kBandBytes = std::size_t{192} << 20;

std::byte to_byte(float value) noexcept {
  const float rounded = value * 255.0F + 0.5F;
  return static_cast<std::byte>(rounded >= 255.0F ? 255 : rounded > 0.0F ? static_cast<int>(rounded) : 0);  // a NaN is 0
}

}  // namespace

Result<std::unique_ptr<Enlargement>> Enlargement::make(std::unique_ptr<PhotoReader> reader, std::unique_ptr<PhotoWriter> writer,
                                                       const Scaling& scaling) {
  const Header& header = reader->header();
  const std::size_t row_bytes = header.width * header.channels * scaling.scale * scaling.scale;  // of what one row becomes
  LAPSE_TRY(const auto tiling, Tiling::make(header.width, header.height, scaling, kBandBytes / std::max<std::size_t>(row_bytes, 1)));
  return std::unique_ptr<Enlargement>(new Enlargement(std::move(reader), std::move(writer), scaling, tiling));
}

Enlargement::Enlargement(std::unique_ptr<PhotoReader> reader, std::unique_ptr<PhotoWriter> writer, const Scaling& scaling,
                         const Tiling& tiling)
    : reader_(std::move(reader)),
      writer_(std::move(writer)),
      scaling_(scaling),
      tiling_(tiling),
      channels_(reader_->header().channels),
      planes_(reader_->header().alpha() ? 2 : 1),
      total_(tiling.count() * planes_) {
  strip_.resize(tiling_.y.length() * header().width * channels_);
  if (2 * band_bytes(0) > kBandBytes) most_bands_ = 1;
}

Enlargement::Place Enlargement::place(std::size_t index) const noexcept {
  const std::size_t tile = index / planes_;
  return {tile / tiling_.x.count(), tile % tiling_.x.count(), index % planes_};
}

std::size_t Enlargement::band_bytes(std::size_t row) const noexcept {
  return (tiling_.y.end(row) - tiling_.y.begin(row)) * scaling_.scale * header().width * scaling_.scale * channels_;
}

bool Enlargement::open_band(std::size_t row) {
  const std::lock_guard lock{mutex_};
  if (first_band_ + bands_.size() > row) return true;
  if (bands_.size() == most_bands_) return false;
  auto band = std::make_unique<Band>();
  band->first = tiling_.y.begin(row) * scaling_.scale;
  band->rows = tiling_.y.end(row) * scaling_.scale - band->first;
  band->missing = tiling_.x.count() * planes_;
  band->pixels.resize(band_bytes(row));
  bands_.push_back(std::move(band));
  return true;
}

Enlargement::Band& Enlargement::band(std::size_t row) {
  const std::lock_guard lock{mutex_};
  assert(row >= first_band_ && row - first_band_ < bands_.size());
  return *bands_[row - first_band_];
}

void Enlargement::arrived(Band& band) {
  const std::lock_guard lock{mutex_};
  --band.missing;
  ++done_;
}

Result<void> Enlargement::load_rows(std::size_t row) {
  const std::size_t top = tiling_.y.start(row), row_bytes = header().width * channels_;
  const std::size_t kept = strip_top_ + strip_rows_ - top;
  std::memmove(strip_.data(), strip_.data() + (top - strip_top_) * row_bytes, kept * row_bytes);
  strip_top_ = top;
  strip_rows_ = kept;
  const std::size_t more = tiling_.y.length() - kept;
  if (more == 0) return {};
  LAPSE_CHECK(reader_->read(more, std::span(strip_).subspan(kept * row_bytes, more * row_bytes)));
  strip_rows_ += more;
  return {};
}

const std::byte* Enlargement::tile_row(const Place& place, std::size_t y) const noexcept {
  return strip_.data() + (y * header().width + tiling_.x.start(place.column)) * channels_;
}

void Enlargement::fill(const Place& place, std::span<float> slot) const noexcept {
  const auto [channels, rows, columns] = shape();
  for (std::size_t c = 0; c < channels; ++c) {
    const std::size_t channel = place.plane == 0 ? c : 3;
    float* to = slot.data() + c * rows * columns;
    for (std::size_t y = 0; y < rows; ++y) {
      const std::byte* from = tile_row(place, y) + channel;
      for (std::size_t x = 0; x < columns; ++x) *to++ = static_cast<float>(std::to_integer<int>(from[x * channels_])) / 255.0F;
    }
  }
}

std::optional<std::byte> Enlargement::even_alpha(const Place& place) const noexcept {
  const auto [channels, rows, columns] = shape();
  const std::byte alpha = tile_row(place, 0)[3];
  if (alpha != kOpaque && alpha != kTransparent) return std::nullopt;
  for (std::size_t y = 0; y < rows; ++y) {
    const std::byte* from = tile_row(place, y);
    for (std::size_t x = 0; x < columns; ++x) {
      if (from[x * channels_ + 3] != alpha) return std::nullopt;
    }
  }
  return alpha;
}

template <class Write>
void Enlargement::for_own_rows(const Place& place, Band& band, Write write) const {
  const TileAxis &x = tiling_.x, &y = tiling_.y;
  const std::size_t scale = scaling_.scale;
  const std::size_t left = x.begin(place.column) * scale, columns = x.end(place.column) * scale - left;
  const std::size_t from_x = left - x.start(place.column) * scale, from_y = band.first - y.start(place.row) * scale;
  for (std::size_t row = 0; row < band.rows; ++row) {
    write(band.pixels.data() + (row * header().width * scale + left) * channels_, from_y + row, from_x, columns);
  }
}

void Enlargement::spread_alpha(const Place& place, std::byte alpha) {
  Band& into = band(place.row);
  for_own_rows(place, into, [&](std::byte* to, std::size_t, std::size_t, std::size_t columns) {
    for (std::size_t x = 0; x < columns; ++x) to[x * channels_ + 3] = alpha;
  });
  arrived(into);
}

Result<std::optional<std::size_t>> Enlargement::next(std::span<float> slot) {
  if (all()) return std::nullopt;
  const std::size_t index = handed_;
  const Place at = place(index);
  if (at.column == 0 && at.plane == 0) {
    if (!open_band(at.row)) return std::nullopt;
    LAPSE_CHECK(load_rows(at.row));
  }
  fill(at, slot);
  std::size_t handed = 1;
  // Now and not in its turn, so that the last tile of a band to arrive is always one that is put.
  if (const auto alpha = at.plane == 0 && planes_ == 2 ? even_alpha(at) : std::nullopt) {
    spread_alpha(at, *alpha);
    ++handed;
  }
  handed_ += handed;
  return index;
}

Result<void> Enlargement::put(std::size_t index, std::span<const float> output) {
  const Place at = place(index);
  const auto [channels, rows, columns] = shape();
  const std::size_t width = columns * scaling_.scale, area = rows * scaling_.scale * width;
  const std::size_t first = at.plane == 0 ? 0 : 3, last = at.plane == 0 ? 3 : 4;
  Band& into = band(at.row);
  for_own_rows(at, into, [&](std::byte* to, std::size_t y, std::size_t x, std::size_t count) {
    for (std::size_t c = first; c < last; ++c) {
      const float* from = output.data() + (c - first) * area + y * width + x;
      for (std::size_t i = 0; i < count; ++i) to[i * channels_ + c] = to_byte(from[i]);
    }
  });
  arrived(into);
  while (true) {
    Band* front = nullptr;
    {
      const std::lock_guard lock{mutex_};
      if (!bands_.empty() && bands_.front()->missing == 0) front = bands_.front().get();
    }
    if (front == nullptr) return {};
    LAPSE_CHECK(writer_->write(front->rows, front->pixels));
    const std::lock_guard lock{mutex_};
    bands_.pop_front();
    ++first_band_;
  }
}

}  // namespace lapse::image
