#pragma once
// Picture files, made with libvips or byte by byte, and what the codec makes of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vips/vips.h>

#include <filesystem>
#include <lapse/image/faults.hpp>
#include <lapse/image/vips/codec.hpp>
#include <lapse/image/vips/handles.hpp>
#include <string>

#include "image/made_up_photo.hpp"

namespace lapse::image {

/// A gradient with some texture: compresses well, and no two places are alike.
Pixels gradient(std::size_t width, std::size_t height, std::size_t channels = 3);
vips::Image to_vips(const Pixels& pixels, VipsInterpretation interpretation = VIPS_INTERPRETATION_sRGB);
/// The largest difference of two bytes; 256 where the sizes differ.
int largest_difference(const Pixels& a, const Pixels& b);

std::string content(const std::filesystem::path& file);
/// A JPEG segment: marker, length, data.
std::string segment(char marker, const std::string& data);
/// A PNG chunk: length, type, data, check sum.
std::string chunk(const std::string& type, const std::string& data);
std::string big_endian(std::uint32_t number);
/// Signature and IHDR of a PNG, 8 bits RGB.
std::string png_head(std::uint32_t width, std::uint32_t height);

class PictureFiles : public testing::Test {
 protected:
  PictureFiles();
  ~PictureFiles() override;

  /// `options` as libvips writes them: "[Q=90]".
  std::filesystem::path save(const vips::Image& image, const std::string& name, const std::string& options = "");
  std::filesystem::path file(const std::string& name, const std::string& bytes);

  /// All rows, some at a time.
  Result<Pixels> decode(const std::filesystem::path& file, const Limits& limits = {});
  /// Expects that it can be read.
  Pixels read(const std::filesystem::path& file);
  Header header(const std::filesystem::path& file);
  /// Expects that it is refused with the fault's sentence.
  void refused(const std::filesystem::path& file, const Fault& fault, const std::string& figures = "", const Limits& limits = {});

  const std::filesystem::path folder_;
  const Codec* codec_ = nullptr;
};

}  // namespace lapse::image
