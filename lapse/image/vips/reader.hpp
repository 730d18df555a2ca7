#pragma once
// A photo decoded by libvips. Not installed.

#include <lapse/image/photo.hpp>
#include <lapse/image/vips/canvas.hpp>
#include <lapse/image/vips/handles.hpp>
#include <lapse/image/vips/source.hpp>

namespace lapse::image::vips {

/// Keeps an image's fields; the image has no pixels that could still be asked for.
class Fields final : public Metadata {
 public:
  explicit Fields(Image image) : image_(std::move(image)) {}
  VipsImage* image() const noexcept { return image_.get(); }

 private:
  Image image_;
};

class Reader final : public PhotoReader {
 public:
  static bool reads(Format format);
  static Result<std::unique_ptr<PhotoReader>> open(const std::filesystem::path& file, const Limits& limits);

  const Header& header() const noexcept override { return header_; }
  Result<void> read(std::size_t rows, std::span<std::byte> to) override;
  std::shared_ptr<const Metadata> metadata() const override { return metadata_; }

 private:
  class Watch;
  explicit Reader(const Limits& limits) : limits_(limits), left_(limits.time) {}
  Result<void> sniff(const std::filesystem::path& file);
  Result<void> load(const std::filesystem::path& file);
  Result<void> check_size() const;
  bool in_one_piece() const;
  Result<void> turn();
  void keep_fields();
  Result<void> copy(VipsImage* from, std::size_t top, std::size_t rows, std::byte* to);
  /// Why libvips has just failed.
  tl::unexpected<Error> why(const Calls& calls) const;

  const Limits limits_;
  Duration left_;  // of the time for decoding
  Source source_;
  Canvas canvas_;  // before the images that look at it
  Image loaded_;   // as the file has it
  Image rows_;     // as header() says
  std::shared_ptr<const Metadata> metadata_;
  Header header_;
  std::size_t next_row_ = 0;
};

}  // namespace lapse::image::vips
