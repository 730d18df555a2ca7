#include <lapse/image/vips/codec.hpp>

extern "C" __attribute__((visibility("default"))) const lapse::image::Codec* lapse_codec_entry(int interface) {
  if (interface != lapse::image::kCodecInterface) return nullptr;
  const auto codec = lapse::image::vips::codec();
  return codec ? *codec : nullptr;
}
