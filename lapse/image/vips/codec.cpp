#include <fmt/format.h>

#include <lapse/image/vips/codec.hpp>
#include <lapse/image/vips/reader.hpp>
#include <lapse/image/vips/writer.hpp>

namespace lapse::image::vips {
namespace {

class VipsCodec final : public Codec {
 public:
  std::string version() const override { return fmt::format("libvips {}.{}.{}", vips_version(0), vips_version(1), vips_version(2)); }

  bool reads(Format format) const override { return Reader::reads(format); }
  bool writes(Format format) const override { return Writer::writes(format); }
  Result<std::unique_ptr<PhotoReader>> open(const std::filesystem::path& file, const Limits& limits, std::size_t shorter) const override {
    return Reader::open(file, limits, shorter);
  }

  Result<std::unique_ptr<PhotoWriter>> create(const WriteOptions& options, Sink sink) const override {
    return std::make_unique<Writer>(options, std::move(sink));
  }
};

}  // namespace

Result<const Codec*> codec() {
  static const VipsCodec kCodec;
  if (!start()) return fail(ErrorCode::EngineUnusable, "photos can't be read: libvips doesn't start", "install it again");
  return &kCodec;
}

}  // namespace lapse::image::vips
