#pragma once
// Any colour that a photo may have to 8-bit sRGB. Not installed.

#include <lapse/image/vips/handles.hpp>
#include <string_view>
#include <vector>

namespace lapse::image::vips {

/// Three bands, or four with alpha, worked out as its pixels are asked for. Adds to `notes` what is worth telling. Null: libvips can't.
Image to_srgb(VipsImage* in, std::vector<std::string_view>& notes);

}  // namespace lapse::image::vips
