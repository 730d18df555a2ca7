#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <lapse/engine/catalogue.hpp>
#include <lapse/image/codec.hpp>
#include <lapse/image/faults.hpp>

namespace lapse::image {
namespace {

constexpr const char* kModule = "lapse-codec-vips.so";

Result<const Codec*> load() {
  const auto unusable = [](std::string why, std::string hint) {
    return fail(ErrorCode::EngineUnusable, fmt::format("photos can't be read: {}", why), std::move(hint));
  };
  for (const auto& folder : engine::plugin_folders()) {
    const auto file = folder / kModule;
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) continue;
    void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) return unusable(dlerror(), "install libvips (on Debian: apt install libvips42)");
    void* entry = dlsym(module, kCodecEntry);
    const Codec* codec = entry == nullptr ? nullptr : reinterpret_cast<CodecEntry>(entry)(kCodecInterface);
    if (codec == nullptr) return unusable(file.string() + " is of another lapse", "build or install it again");
    return codec;
  }
  return unusable("this lapse was built without libvips", "on Debian: apt install libvips-dev, then build again");
}

// Pixels of a side, and of a WebP in all: libwebp encodes from memory.
constexpr std::size_t kJpegSide = 65'500, kWebpSide = 16'383, kPngSide = 0x7FFFFFFF;
constexpr std::size_t kWebpPixels = 40'000'000;

bool fits(Format format, std::size_t width, std::size_t height) {
  const std::size_t side = std::max(width, height);
  if (format == Format::Webp) return side <= kWebpSide && width * height <= kWebpPixels;
  return side <= (format == Format::Jpeg ? kJpegSide : kPngSide);
}

}  // namespace

Result<const Codec*> find_codec() {
  static const Result<const Codec*> kCodec = load();
  return kCodec;
}

Result<Format> choose_format(const Codec& codec, const Header& header, std::size_t scale, std::optional<Format> wanted) {
  const std::size_t width = header.width * scale, height = header.height * scale;
  if (wanted) {
    if (!codec.writes(*wanted)) return refuse(kNoDecoder, std::string(name(*wanted)));
    if (!fits(*wanted, width, height)) return refuse(kTooLargeToWrite, fmt::format("{}: {} x {}", name(*wanted), width, height));
    return *wanted;
  }
  const Format own = header.format;
  const bool keeps = codec.writes(own) && fits(own, width, height);
  if (keeps) return own;
  return !header.alpha() && fits(Format::Jpeg, width, height) ? Format::Jpeg : Format::Png;
}

}  // namespace lapse::image
