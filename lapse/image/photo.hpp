#pragma once
// Photos as rows of pixels, read from and written to files, whatever format they have there.
//
// A row is 8-bit sRGB (IEC 61966-2-1) from left to right, interleaved: RGB, or RGBA where there is transparency (not premultiplied). Rows
// go from top to bottom as the picture is seen: a camera's orientation is applied already.

#include <chrono>
#include <cstdint>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <lapse/image/format.hpp>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace lapse::image {

/// What is taken. Checked before a pixel is decoded, but for `time`.
struct Limits {
  std::uint64_t bytes = std::uint64_t{256} << 20;
  std::uint64_t side = 65'500;              // pixels; JPEG can't hold more
  std::uint64_t pixels = 110'000'000;       // what the largest cameras make, and a little
  std::uint64_t whole = 50'000'000;         // pixels of a picture that has to be decoded in one piece, into memory
  Duration time = std::chrono::minutes{1};  // of decoding: what passes inside of PhotoReader's functions
};

struct Header {
  Format format = Format::Jpeg;
  std::size_t width = 0, height = 0;    // as it is seen
  std::size_t channels = 3;             // 3: RGB, 4: RGBA
  std::vector<std::string_view> notes;  // of the sentences in faults.hpp
  bool alpha() const noexcept { return channels == 4; }
};

/// What a file tells about its picture (EXIF, XMP, IPTC), to be kept in another one. Known to the codec that read it alone.
class Metadata {
 public:
  virtual ~Metadata() = default;
};

/// One picture, read once from top to bottom. Not synchronised, but any thread may go on where another has stopped.
class PhotoReader {
 public:
  virtual ~PhotoReader() = default;
  virtual const Header& header() const noexcept = 0;
  /// The next `rows` rows, of which there are that many left. Blocks. Errors: those of faults.hpp; after one there is no more to be had.
  virtual Result<void> read(std::size_t rows, std::span<std::byte> to) = 0;
  /// Without orientation and thumbnail, which the enlarged picture has no use for.
  virtual std::shared_ptr<const Metadata> metadata() const = 0;
};

/// Takes a file's bytes in their order. What it fails with is the writer's error.
using Sink = std::function<Result<void>(std::span<const std::byte>)>;

struct WriteOptions {
  Format format = Format::Jpeg;
  std::size_t width = 0, height = 0, channels = 3;
  std::shared_ptr<const Metadata> metadata;  // null: none but the colour space is written
};

/// One picture, written once from top to bottom, and encoded on a thread of its own. Not synchronised. Destroyed before its end it stops
/// at once; what the sink has got by then is no picture.
class PhotoWriter {
 public:
  virtual ~PhotoWriter() = default;
  /// The next rows; blocks while the encoder is behind. Errors: the sink's; those of faults.hpp.
  virtual Result<void> write(std::size_t rows, std::span<const std::byte> from) = 0;
  /// Once, after the last row: waits for the encoder; then the sink has got the whole file.
  virtual Result<void> finish() = 0;
};

}  // namespace lapse::image
