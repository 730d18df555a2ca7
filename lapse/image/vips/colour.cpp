#include <array>
#include <cstdlib>
#include <lapse/image/faults.hpp>
#include <lapse/image/vips/colour.hpp>

namespace lapse::image::vips {
namespace {

Image transform(VipsImage* in) {
  return make([&](VipsImage** out) {
    return vips_icc_transform(in, out, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_PERCEPTUAL, "depth", 8, nullptr);
  });
}

bool has_usable_profile(VipsImage* in) {
  const void* data = nullptr;
  std::size_t size = 0;
  return vips_image_get_blob(in, VIPS_META_ICC_NAME, &data, &size) == 0 && vips_icc_is_compatible_profile(in, data, size) != 0;
}

// Most profiles are sRGB's under one of a dozen names. What they do to a few hundred colours tells it: nothing, but for rounding. Such a
// photo is left as it is, faster and exact.
bool is_srgb(VipsImage* in) {
  constexpr int kSteps = 8, kStep = 36, kColours = kSteps * kSteps * kSteps;
  if (in->BandFmt != VIPS_FORMAT_UCHAR || vips_image_get_interpretation(in) != VIPS_INTERPRETATION_sRGB) return false;
  std::array<unsigned char, 3 * kColours> colours;
  for (int i = 0, n = 0; i < kColours; ++i) {
    for (const int digit : {i / (kSteps * kSteps), i / kSteps % kSteps, i % kSteps}) {
      colours[static_cast<std::size_t>(n++)] = static_cast<unsigned char>(digit * kStep);
    }
  }
  const Image probe(vips_image_new_from_memory(colours.data(), colours.size(), kColours, 1, 3, VIPS_FORMAT_UCHAR));
  const void* profile = nullptr;
  std::size_t size = 0;
  if (probe == nullptr || vips_image_get_blob(in, VIPS_META_ICC_NAME, &profile, &size) != 0) return false;
  const Image tagged =
      make([&](VipsImage** out) { return vips_copy(probe.get(), out, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr); });
  if (tagged == nullptr) return false;
  vips_image_set_blob_copy(tagged.get(), VIPS_META_ICC_NAME, profile, size);
  const Image seen = transform(tagged.get());
  if (seen == nullptr || seen->Bands != 3) return false;
  std::size_t bytes = 0;
  const std::unique_ptr<void, decltype(&g_free)> pixels(vips_image_write_to_memory(seen.get(), &bytes), &g_free);
  if (pixels == nullptr || bytes != colours.size()) return false;
  const auto* after = static_cast<const unsigned char*>(pixels.get());
  for (std::size_t i = 0; i < colours.size(); ++i) {
    if (std::abs(after[i] - colours[i]) > 1) return false;
  }
  return true;
}

}  // namespace

Image to_srgb(VipsImage* in, std::vector<std::string_view>& notes) {
  if (in->BandFmt == VIPS_FORMAT_USHORT) notes.push_back(kSixteenBits.english);
  Image colours;
  if (vips_image_get_typeof(in, VIPS_META_ICC_NAME) != 0) {
    const bool usable = has_usable_profile(in);
    if (usable && !is_srgb(in)) colours = transform(in);
    if (!usable) notes.push_back(kProfileIgnored.english);
  }
  if (colours == nullptr) {
    colours = make([&](VipsImage** out) { return vips_colourspace(in, out, VIPS_INTERPRETATION_sRGB, nullptr); });
  }
  if (colours == nullptr || colours->Bands < 3) return nullptr;
  if (colours->Bands > 4) {
    colours = make([&](VipsImage** out) { return vips_extract_band(colours.get(), out, 0, "n", 4, nullptr); });
    if (colours == nullptr) return nullptr;
  }
  return make([&](VipsImage** out) { return vips_cast_uchar(colours.get(), out, nullptr); });
}

}  // namespace lapse::image::vips
