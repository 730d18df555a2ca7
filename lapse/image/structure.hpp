#pragma once
// What a file's own framework tells that its decoder does not, without decoding anything. Not installed.

#include <filesystem>
#include <lapse/image/format.hpp>

namespace lapse::image {

struct Structure {
  bool complete = true;   // WebP, HEIC, AVIF: the file is as long as it says. Of the others only the decoder meets the end.
  bool flooded = false;   // more pieces than any picture has: its decoder might be busy with them for hours
  bool animated = false;  // PNG (APNG: an acTL chunk before the first IDAT)
};

/// Never fails: of what is not there nothing is told.
Structure look_at(const std::filesystem::path& file, Format format);

}  // namespace lapse::image
