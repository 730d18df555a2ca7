#include <algorithm>
#include <cstring>
#include <lapse/image/faults.hpp>
#include <lapse/image/vips/reader.hpp>
#include <lapse/image/vips/writer.hpp>

namespace lapse::image::vips {
namespace {

constexpr int kQuality = 92;
// Of PNG and WebP: the defaults, 6 and 4, make an enlarged photo 10 % smaller in four times the time, and the model would wait for it.
constexpr int kCompression = 3, kEffort = 2;
constexpr std::size_t kChunk = std::size_t{1} << 20;  // bytes that are queued as one
constexpr std::size_t kChunks = 8;

}  // namespace

bool Writer::writes(Format format) {
  switch (format) {
    case Format::Jpeg:
      return has("jpegsave_target");
    case Format::Png:
      return has("pngsave_target");
    case Format::Webp:
      return has("webpsave_target");
    case Format::Heic:
    case Format::Avif:
      return false;  // their encoders take many times as long as the network
  }
  return false;
}

Writer::Writer(const WriteOptions& options, Sink sink)
    : options_(options), sink_(std::move(sink)), row_bytes_(options.width * options.channels), queue_(kChunks), thread_([this] {
        encode();
      }) {}

Writer::~Writer() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

Result<void> Writer::write(std::size_t rows, std::span<const std::byte> from) {
  const std::size_t most = std::max(kChunk / row_bytes_, std::size_t{1});
  for (std::size_t done = 0; done < rows; done += most) {
    const auto part = from.subspan(done * row_bytes_, std::min(most, rows - done) * row_bytes_);
    // A closed queue: the encoder has ended before its time.
    if (!queue_.push({part.begin(), part.end()})) return finish();
  }
  return {};
}

Result<void> Writer::finish() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

void Writer::encode() {
  const Ref<VipsTargetCustom> target(vips_target_custom_new());
  g_signal_connect(target.get(), "write", reinterpret_cast<GCallback>(&Writer::take_bytes), this);
  const Image image = rows_image();
  const bool saved = image != nullptr && save(image.get(), VIPS_TARGET(target.get()));
  if (!saved && outcome_) outcome_ = refuse(kNotWritten);
  queue_.close();
  vips_thread_shutdown();
}

Image Writer::rows_image() {
  Image image(vips_image_new());
  vips_image_init_fields(image.get(), static_cast<int>(options_.width), static_cast<int>(options_.height),
                         static_cast<int>(options_.channels), VIPS_FORMAT_UCHAR, VIPS_CODING_NONE, VIPS_INTERPRETATION_sRGB, 1.0, 1.0);
  if (options_.metadata != nullptr) {
    const auto copy = [](VipsImage*, const char* field, GValue* value, void* to) -> void* {
      if (std::string_view(field).find('-') != std::string_view::npos) vips_image_set(static_cast<VipsImage*>(to), field, value);
      return nullptr;
    };
    vips_image_map(static_cast<const Fields&>(*options_.metadata).image(), copy, image.get());
    vips_image_set_int(image.get(), VIPS_META_ORIENTATION, 1);  // over the one inside of the EXIF
  }
  if (vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
      vips_image_generate(image.get(), nullptr, &Writer::give_rows, nullptr, this, nullptr) != 0) {
    return nullptr;
  }
  if (options_.channels == 3 || options_.format != Format::Jpeg) return image;
  constexpr double kWhite = 255;
  const std::unique_ptr<VipsArea, decltype(&vips_area_unref)> white(VIPS_AREA(vips_array_double_newv(1, kWhite)), &vips_area_unref);
  return make([&](VipsImage** out) { return vips_flatten(image.get(), out, "background", white.get(), nullptr); });
}

// Not "strip", which would leave out the profile too: there is nothing else to tell but what libvips makes up, such as the resolution.
bool Writer::save(VipsImage* image, VipsTarget* target) const {
  switch (options_.format) {
    case Format::Jpeg:
      return vips_jpegsave_target(image, target, "Q", kQuality, "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF, "profile", "srgb", nullptr) ==
             0;
    case Format::Png:
      return vips_pngsave_target(image, target, "compression", kCompression, "filter", VIPS_FOREIGN_PNG_FILTER_PAETH, "profile", "srgb",
                                 nullptr) == 0;
    case Format::Webp:
      return vips_webpsave_target(image, target, "Q", kQuality, "effort", kEffort, "profile", "srgb", nullptr) == 0;
    case Format::Heic:
    case Format::Avif:
      break;
  }
  return false;
}

int Writer::give_rows(VipsRegion* to, void*, void* writer, void*, gboolean*) {
  auto& self = *static_cast<Writer*>(writer);
  const VipsRect& wanted = to->valid;
  // One thread asks for thin strips in their order: rows that have gone by are nowhere any more.
  if (static_cast<std::size_t>(wanted.width) != self.options_.width || wanted.top != self.next_row_) return -1;
  self.next_row_ += wanted.height;
  for (int y = 0; y < wanted.height; ++y) {
    if (self.used_ == self.chunk_.size() && !self.fetch()) return -1;
    std::memcpy(VIPS_REGION_ADDR(to, 0, wanted.top + y), self.chunk_.data() + self.used_, self.row_bytes_);
    self.used_ += self.row_bytes_;
  }
  return 0;
}

bool Writer::fetch() {
  auto chunk = queue_.pop();
  if (!chunk) return false;
  chunk_ = std::move(*chunk);
  used_ = 0;
  return true;
}

gint64 Writer::take_bytes(VipsTargetCustom*, const void* bytes, gint64 length, Writer* self) {
  const auto taken = self->sink_({static_cast<const std::byte*>(bytes), static_cast<std::size_t>(length)});
  if (taken) return length;
  self->outcome_ = taken;
  return -1;
}

}  // namespace lapse::image::vips
