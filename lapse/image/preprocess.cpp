#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <lapse/image/preprocess.hpp>
#include <vector>

namespace lapse::image {
namespace {

constexpr std::size_t kColours = 3, kRowsAtOnce = 32;

/// A pixel of the result, in one direction: the mean of so many pixels of the picture.
struct Mean {
  std::size_t begin;
  std::span<const float> weights;
  std::size_t end() const noexcept { return begin + weights.size(); }
};

/// The middle `kept` of `to` pixels that `from` become. The weights fall linearly from the pixel's centre to nothing: bilinear, and where
/// the picture becomes smaller as wide as one of its pixels becomes narrow.
class Axis {
 public:
  Axis(std::size_t from, std::size_t to, std::size_t kept) {
    const double scale = static_cast<double>(from) / static_cast<double>(to), reach = std::max(scale, 1.0);
    // As torchvision's CenterCrop rounds: half to even.
    const auto first = static_cast<std::size_t>(std::nearbyint(static_cast<double>(to - kept) / 2));
    for (std::size_t i = first; i < first + kept; ++i) {
      const double centre = (static_cast<double>(i) + 0.5) * scale;
      const auto begin = static_cast<std::size_t>(std::max(centre - reach + 0.5, 0.0));
      const auto end = std::min(static_cast<std::size_t>(centre + reach + 0.5), from);
      add(begin, end, centre, reach);
    }
  }
  Mean operator[](std::size_t i) const noexcept {
    return {begins_[i], std::span(weights_).subspan(offsets_[i], offsets_[i + 1] - offsets_[i])};
  }
  std::size_t begin() const noexcept { return begins_.front(); }
  std::size_t end() const noexcept { return (*this)[begins_.size() - 1].end(); }

 private:
  void add(std::size_t begin, std::size_t end, double centre, double reach) {
    const auto weight = [&](std::size_t j) { return std::max(1 - std::abs(static_cast<double>(j) + 0.5 - centre) / reach, 0.0); };
    double sum = 0;
    for (std::size_t j = begin; j < end; ++j) sum += weight(j);
    for (std::size_t j = begin; j < end; ++j) weights_.push_back(static_cast<float>(weight(j) / sum));
    begins_.push_back(begin);
    offsets_.push_back(weights_.size());
  }

  std::vector<std::size_t> begins_, offsets_{0};
  std::vector<float> weights_;
};

/// The rows that are needed at a time, RGB, as the reader comes by them.
class Rows {
 public:
  explicit Rows(PhotoReader& reader) : reader_(reader), header_(reader.header()) {}

  /// Reads on until row `end`. Rows before `begin` are needed no more.
  Result<void> reach(std::size_t begin, std::size_t end) {
    while (next_ < end) {
      const std::size_t gone = std::min(begin, next_) - top_, rows = std::min(kRowsAtOnce, header_.height - next_);
      pixels_.erase(pixels_.begin(), pixels_.begin() + static_cast<std::ptrdiff_t>(gone * row_bytes()));
      top_ += gone;
      const std::size_t known = pixels_.size();
      pixels_.resize(known + rows * row_bytes());
      LAPSE_CHECK(read(rows, std::span(pixels_).subspan(known)));
      next_ += rows;
    }
    return {};
  }
  const std::byte* row(std::size_t y) const noexcept { return pixels_.data() + (y - top_) * row_bytes(); }

 private:
  std::size_t row_bytes() const noexcept { return header_.width * kColours; }

  Result<void> read(std::size_t rows, std::span<std::byte> to) {
    if (!header_.alpha()) return reader_.read(rows, to);
    with_alpha_.resize(rows * header_.width * header_.channels);
    LAPSE_CHECK(reader_.read(rows, with_alpha_));
    const auto value = [&](std::size_t i) { return std::to_integer<unsigned>(with_alpha_[i]); };
    for (std::size_t pixel = 0; pixel < rows * header_.width; ++pixel) {
      const unsigned alpha = value(4 * pixel + 3);
      for (std::size_t c = 0; c < kColours; ++c) {
        const unsigned over_white = value(4 * pixel + c) * alpha + 255 * (255 - alpha);
        to[kColours * pixel + c] = static_cast<std::byte>((over_white + 127) / 255);
      }
    }
    return {};
  }

  PhotoReader& reader_;
  const Header& header_;
  std::vector<std::byte> pixels_, with_alpha_;  // rows [top_, next_); what has just been read
  std::size_t top_ = 0, next_ = 0;
};

/// What becomes of every value, by colour.
class Normalisation {
 public:
  explicit Normalisation(const Preprocessing& how) {
    for (std::size_t c = 0; c < kColours; ++c) {
      for (std::size_t value = 0; value < 256; ++value) {
        table_[c][value] = (static_cast<float>(value) / 255 - how.mean[c]) / how.deviation[c];
      }
    }
  }
  float operator()(std::size_t colour, float value) const noexcept { return table_[colour][static_cast<std::size_t>(value + 0.5F)]; }

 private:
  std::array<std::array<float, 256>, kColours> table_;
};

/// Adds the columns of one row, weighted.
void add(const std::byte* row, float weight, std::span<float> sums) noexcept {
  const auto* values = reinterpret_cast<const unsigned char*>(row);
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += weight * static_cast<float>(values[i]);
}

Result<void> check(const Preprocessing& how, std::size_t floats) {
  if (std::min(how.width, how.height) == 0 || std::max(how.width, how.height) > how.resize_shorter) {
    return fail(ErrorCode::BadUse, fmt::format("{} x {} pixels can't be cut out of a picture whose shorter side is resized to {}",
                                               how.width, how.height, how.resize_shorter));
  }
  if (std::ranges::min(how.deviation) <= 0) return fail(ErrorCode::BadUse, "a standard deviation has to be positive");
  const std::size_t values = kColours * how.width * how.height;
  if (floats != values) return fail(ErrorCode::BadUse, fmt::format("a picture has {} values, and there is room for {}", values, floats));
  return {};
}

}  // namespace

Result<void> preprocess(const Codec& codec, const std::filesystem::path& file, const Limits& limits, const Preprocessing& how,
                        std::span<float> to) {
  LAPSE_CHECK(check(how, to.size()));
  LAPSE_TRY(const auto reader, codec.open(file, limits, how.resize_shorter));
  const Header& header = reader->header();
  const auto resized = [&](std::size_t side) { return side * how.resize_shorter / std::min(header.width, header.height); };
  const Axis across(header.width, resized(header.width), how.width), down(header.height, resized(header.height), how.height);
  const Normalisation normalised(how);
  const std::size_t pixel = how.channels_last ? kColours : 1, colour = how.channels_last ? 1 : how.width * how.height;

  Rows rows(*reader);
  std::vector<float> sums((across.end() - across.begin()) * kColours);
  for (std::size_t y = 0; y < how.height; ++y) {
    const Mean high = down[y];
    LAPSE_CHECK(rows.reach(high.begin, high.end()));
    std::ranges::fill(sums, 0.0F);
    for (std::size_t k = 0; k < high.weights.size(); ++k) {
      add(rows.row(high.begin + k) + across.begin() * kColours, high.weights[k], sums);
    }
    for (std::size_t x = 0; x < how.width; ++x) {
      const Mean wide = across[x];
      std::array<float, kColours> value{};
      const float* from = sums.data() + (wide.begin - across.begin()) * kColours;
      for (const float weight : wide.weights) {
        for (std::size_t c = 0; c < kColours; ++c) value[c] += weight * *from++;
      }
      for (std::size_t c = 0; c < kColours; ++c) to[(y * how.width + x) * pixel + c * colour] = normalised(c, value[c]);
    }
  }
  // What is below is in no pixel, but may be damaged.
  return rows.reach(header.height, header.height);
}

}  // namespace lapse::image
