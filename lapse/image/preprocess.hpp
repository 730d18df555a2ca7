#pragma once
// A photo as an image classifier wants it: decoded, resized, cut to its middle and normalised, on the CPU. torchvision's recipe of
// Resize(bilinear, antialias), CenterCrop, ToTensor and Normalize.
//
// How near it comes, on a made-up photo from 256 to 224 (tests/image/preprocess_peer_test.py): of values from 0 to 255 the mean difference
// is 0.1 to 0.2, by rounding, and 0.2 to 0.3 where a JPEG is decoded at a fraction of its size. torchvision leaves EXIF's orientation and
// transparency alone; a photo that has them is another one here.

#include <array>
#include <cstddef>
#include <filesystem>
#include <lapse/image/codec.hpp>
#include <span>

namespace lapse::image {

struct Preprocessing {
  std::size_t width = 224, height = 224;  // pixels, each at most resize_shorter
  std::size_t resize_shorter = 256;       // the picture's shorter side before its middle is cut out
  // Of red, green and blue, where 0 is black and 1 is white. These are ImageNet's.
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F}, deviation{0.229F, 0.224F, 0.225F};
  bool channels_last = false;
};

/// One item of a batch: 3 x height x width of float32, red first (channels_last: height x width x 3), each (value / 255 - mean) / deviation
/// of a whole value of 0..255. The picture is in sRGB, upright, over white where it is transparent.
/// The same file gives the same bits, on any thread. Threads: any number at once, and JPEG, PNG and WebP are decoded at the same time. But
/// one that has something wrong is decoded once more, alone, to tell what, and so are those decoded at that moment (vips/reader.hpp).
/// Errors: the codec's, after which what is in `to` is no picture; BadUse for sizes that can't be and for a `to` of another size.
Result<void> preprocess(const Codec& codec, const std::filesystem::path& file, const Limits& limits, const Preprocessing& how,
                        std::span<float> to);

}  // namespace lapse::image
