#pragma once
// A photo decoded by libvips. Not installed.
//
// Whole photos are decoded one at a time in the process, for the sake of libvips' one error text (Calls). Reduced ones are decoded at the
// same time, and those that meet anything, or are there when another does, once more alone: what is told of a file is the same.

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
  static Result<std::unique_ptr<Reader>> open(const std::filesystem::path& file, const Limits& limits, std::size_t shorter);

  const Header& header() const noexcept override { return header_; }
  Result<void> read(std::size_t rows, std::span<std::byte> to) override;
  std::shared_ptr<const Metadata> metadata() const override { return metadata_; }

 private:
  class Watch;
  Reader(const std::filesystem::path& file, const Limits& limits, std::size_t shorter, bool alone)
      : file_(file), limits_(limits), shorter_(shorter), alone_(alone), left_(limits.time) {}
  Result<void> begin();
  /// Nothing else would come out alone.
  bool settled(const Result<void>& outcome) const;
  /// The same photo alone, in the time that is left.
  Result<std::unique_ptr<Reader>> once_more() const;
  /// From the row on that comes next, by another reader.
  Result<void> go_on_alone();
  Result<void> sniff();
  Result<void> load();
  Result<void> check_size() const;
  int reduction() const;
  bool in_one_piece() const;
  Result<void> turn();
  void keep_fields();
  Result<void> copy(VipsImage* from, std::size_t top, std::size_t rows, std::byte* to);
  /// Why libvips has just failed.
  tl::unexpected<Error> why(const Calls& calls) const;

  const std::filesystem::path file_;
  const Limits limits_;
  const std::size_t shorter_;
  bool alone_;
  Duration left_;  // of the time for decoding
  Source source_;
  Canvas canvas_;  // before the images that look at it
  Image loaded_;   // as the file has it
  Image rows_;     // as header() says
  std::shared_ptr<const Metadata> metadata_;
  Header header_;
  std::size_t next_row_ = 0;
  std::unique_ptr<Reader> instead_;  // where this one met something
};

}  // namespace lapse::image::vips
