#pragma once
// A reader and a writer of photos that are in memory.

#include <gtest/gtest.h>

#include <cstring>
#include <lapse/image/photo.hpp>
#include <optional>
#include <random>
#include <utility>

namespace lapse::image {

struct Pixels {
  std::size_t width = 0, height = 0, channels = 3;
  std::vector<std::byte> bytes{};

  static Pixels random(std::size_t width, std::size_t height, std::size_t channels = 3, unsigned seed = 1) {
    std::mt19937 random(seed);
    Pixels pixels{width, height, channels, std::vector<std::byte>(width * height * channels)};
    for (auto& byte : pixels.bytes) byte = static_cast<std::byte>(random() % 256);
    return pixels;
  }
  std::byte& at(std::size_t x, std::size_t y, std::size_t c) { return bytes[(y * width + x) * channels + c]; }
};

class MadeUpReader final : public PhotoReader {
 public:
  /// Fails when a row behind the first `good` ones is asked for.
  explicit MadeUpReader(Pixels pixels, std::size_t good = SIZE_MAX) : pixels_(std::move(pixels)), good_(good) {
    header_.width = pixels_.width;
    header_.height = pixels_.height;
    header_.channels = pixels_.channels;
  }
  const Header& header() const noexcept override { return header_; }
  Result<void> read(std::size_t rows, std::span<std::byte> to) override {
    const std::size_t row = pixels_.width * pixels_.channels;
    EXPECT_LE(next_ + rows, pixels_.height) << "rows that are not there";
    EXPECT_EQ(to.size(), rows * row);
    if (next_ + rows > good_) return fail(ErrorCode::BadInput, "the file ends before the picture does");
    std::memcpy(to.data(), pixels_.bytes.data() + next_ * row, rows * row);
    next_ += rows;
    return {};
  }
  std::shared_ptr<const Metadata> metadata() const override { return nullptr; }

 private:
  Header header_;
  Pixels pixels_;
  std::size_t good_, next_ = 0;
};

class MadeUpWriter final : public PhotoWriter {
 public:
  /// What is written goes to `to`, whose size is set. Fails when more than `room` rows come.
  explicit MadeUpWriter(Pixels& to, std::size_t room = SIZE_MAX) : to_(to), room_(room) {}
  Result<void> write(std::size_t rows, std::span<const std::byte> from) override {
    EXPECT_EQ(from.size(), rows * to_.width * to_.channels);
    rows_ += rows;
    if (rows_ > room_) return fail(ErrorCode::Unavailable, "the disk is full");
    to_.bytes.insert(to_.bytes.end(), from.begin(), from.end());
    return {};
  }
  Result<void> finish() override {
    EXPECT_EQ(rows_, to_.height) << "rows at the end";
    return {};
  }

 private:
  Pixels& to_;
  std::size_t room_, rows_ = 0;
};

}  // namespace lapse::image
