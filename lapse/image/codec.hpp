#pragma once
// Who decodes and encodes photos: libvips, in a module of its own that is loaded with the first photo.
//
// A module, because libvips brings a hundred libraries into the process (an OpenMP runtime among them, which LibTorch would find instead of
// its own): they must not be there when a model is timed.

#include <filesystem>
#include <lapse/image/photo.hpp>
#include <optional>
#include <string>

namespace lapse::image {

/// Threads: any.
class Codec {
 public:
  virtual ~Codec() = default;
  virtual std::string version() const = 0;  // "libvips 8.14.1"
  virtual bool reads(Format format) const = 0;
  virtual bool writes(Format format) const = 0;
  /// Looks at the file and decodes no pixel yet. Errors: those of faults.hpp.
  Result<std::unique_ptr<PhotoReader>> open(const std::filesystem::path& file, const Limits& limits) const { return open(file, limits, 0); }
  /// The same for a picture that is to be resized until its shorter side has `shorter` pixels (0: as it is). What comes may be smaller than
  /// what the file holds, where that is less to decode, but its shorter side is at least twice as long. Of JPEG that is 1/2, 1/4 or 1/8,
  /// rounded down: of the last rows and columns, 7 at most, that this leaves out nothing is told, not even damage. Limits and errors are
  /// those of the whole picture.
  virtual Result<std::unique_ptr<PhotoReader>> open(const std::filesystem::path& file, const Limits& limits, std::size_t shorter) const = 0;
  /// Transparent pixels become white where the format has no transparency. Error: kTooLargeToWrite.
  virtual Result<std::unique_ptr<PhotoWriter>> create(const WriteOptions& options, Sink sink) const = 0;
};

/// The one that is installed. Error: EngineUnusable when none is.
Result<const Codec*> find_codec();

/// The format that a photo enlarged `scale` times is written in. Nothing wanted: its own where that can be written and is large enough,
/// else JPEG, else (and for transparent HEIC and AVIF) PNG. Errors: kTooLargeToWrite, kNoDecoder for a wanted one that can't be written.
Result<Format> choose_format(const Codec& codec, const Header& header, std::size_t scale, std::optional<Format> wanted);

// What a module exports by the name kCodecEntry, and the version of this interface, which it has to be built for.
inline constexpr const char* kCodecEntry = "lapse_codec_entry";
inline constexpr int kCodecInterface = 2;
/// Null for another version than its own. The codec lives as long as the program.
using CodecEntry = const Codec* (*)(int interface);

}  // namespace lapse::image
