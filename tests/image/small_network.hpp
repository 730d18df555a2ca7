#pragma once
// A convolution network in plain C++, as a photo model is: two 3x3 layers with zeros around the picture, then a pixel shuffle. Each output
// pixel is the same sum in the same order wherever it stands, so that a tile's are the whole picture's bit for bit.

#include <cstddef>
#include <random>
#include <vector>

namespace lapse::image {

struct Planes {  // channel by channel
  std::size_t channels = 0, rows = 0, columns = 0;
  std::vector<float> values{};
  float at(std::size_t c, std::size_t y, std::size_t x) const { return values[(c * rows + y) * columns + x]; }
};

class SmallNetwork {
 public:
  static constexpr std::size_t kHalo = 2;

  explicit SmallNetwork(std::size_t scale, unsigned seed = 7) : scale_(scale) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> weight(-0.3F, 0.4F);
    for (auto* layer : {&first_, &second_}) layer->resize((layer == &first_ ? 3 : 3 * scale * scale) * kInner * 9);
    for (auto* layer : {&first_, &second_}) {
      for (float& value : *layer) value = weight(random);
    }
  }

  std::size_t scale() const { return scale_; }

  Planes operator()(const Planes& in) const {
    const Planes inner = convolve(in, first_, kInner);
    const Planes phases = convolve(inner, second_, 3 * scale_ * scale_);
    Planes out{3, in.rows * scale_, in.columns * scale_};
    out.values.reserve(3 * out.rows * out.columns);
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t y = 0; y < out.rows; ++y) {
        for (std::size_t x = 0; x < out.columns; ++x) {
          out.values.push_back(phases.at((c * scale_ + y % scale_) * scale_ + x % scale_, y / scale_, x / scale_));
        }
      }
    }
    return out;
  }

 private:
  static constexpr std::size_t kInner = 4;

  static Planes convolve(const Planes& in, const std::vector<float>& weights, std::size_t channels) {
    Planes out{channels, in.rows, in.columns};
    out.values.reserve(channels * in.rows * in.columns);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t y = 0; y < in.rows; ++y) {
        for (std::size_t x = 0; x < in.columns; ++x) out.values.push_back(pixel(in, weights, c, y, x));
      }
    }
    return out;
  }

  static float pixel(const Planes& in, const std::vector<float>& weights, std::size_t c, std::size_t y, std::size_t x) {
    float sum = 0.1F;
    for (std::size_t i = 0; i < in.channels; ++i) {
      for (std::size_t k = 0; k < 9; ++k) {
        const std::size_t row = y + k / 3, column = x + k % 3;  // one too many each
        const bool inside = row >= 1 && row <= in.rows && column >= 1 && column <= in.columns;
        if (inside) sum += weights[(c * in.channels + i) * 9 + k] * in.at(i, row - 1, column - 1);
      }
    }
    return sum > 0 ? sum : 0.2F * sum;
  }

  std::size_t scale_;
  std::vector<float> first_, second_;
};

}  // namespace lapse::image
