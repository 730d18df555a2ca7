#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lapse/image/faults.hpp>
#include <lapse/image/structure.hpp>
#include <lapse/image/vips/colour.hpp>
#include <lapse/image/vips/reader.hpp>
#include <string>
#include <tuple>

namespace lapse::image::vips {
namespace {

constexpr std::size_t kRowsAtOnce = 32;  // between two looks at the clock

std::string megabytes(std::uint64_t found, std::uint64_t most) {
  constexpr double kMega = 1 << 20;
  return fmt::format("{:.4g} MiB > {:.4g} MiB", static_cast<double>(found) / kMega, static_cast<double>(most) / kMega);
}

Image load_with(Format format, VipsSource* source, int reduction) {
  const auto with = [&](auto load, auto... more) {
    return make([&](VipsImage** out) {
      return load(source, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, more..., nullptr);
    });
  };
  switch (format) {
    case Format::Jpeg:
      return with(vips_jpegload_source, "shrink", reduction);
    case Format::Png:
      return with(vips_pngload_source);
    case Format::Webp:
      return with(vips_webpload_source);
    case Format::Heic:
    case Format::Avif:
      return with(vips_heifload_source);
  }
  return nullptr;
}

bool flag(VipsImage* image, const char* field) {
  int value = 0;
  return vips_image_get_typeof(image, field) != 0 && vips_image_get_int(image, field, &value) == 0 && value != 0;
}

}  // namespace

/// Takes the time that passes while it lives from what is left, and gives the source no more than that.
class Reader::Watch {
 public:
  explicit Watch(Reader& reader) : reader_(reader), begin_(Source::Clock::now()) { reader.source_.deadline(begin_ + reader.left_); }
  ~Watch() { reader_.left_ -= Source::Clock::now() - begin_; }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  bool over() const { return Source::Clock::now() - begin_ >= reader_.left_; }

 private:
  Reader& reader_;
  const Source::Clock::time_point begin_;
};

bool Reader::reads(Format format) {
  switch (format) {
    case Format::Jpeg:
      return has("jpegload_source");
    case Format::Png:
      return has("pngload_source");
    case Format::Webp:
      return has("webpload_source");
    case Format::Heic:
    case Format::Avif:
      return has("heifload_source");
  }
  return false;
}

Result<std::unique_ptr<Reader>> Reader::open(const std::filesystem::path& file, const Limits& limits, std::size_t shorter) {
  enter_thread();
  std::unique_ptr<Reader> reader(new Reader(file, limits, shorter, shorter == 0));
  const auto begun = reader->begin();
  if (!reader->settled(begun)) return reader->once_more();
  if (!begun) return tl::unexpected(begun.error());
  return reader;
}

Result<void> Reader::begin() {
  LAPSE_CHECK(sniff());
  LAPSE_CHECK(load());
  LAPSE_CHECK(turn());
  header_.width = static_cast<std::size_t>(rows_->Xsize);
  header_.height = static_cast<std::size_t>(rows_->Ysize);
  return {};
}

bool Reader::settled(const Result<void>& outcome) const { return outcome || alone_ || outcome.error().code == kTooSlow.code; }

Result<std::unique_ptr<Reader>> Reader::once_more() const {
  Limits limits = limits_;
  limits.time = left_;
  std::unique_ptr<Reader> reader(new Reader(file_, limits, shorter_, true));
  LAPSE_CHECK(reader->begin());
  return reader;
}

Result<void> Reader::go_on_alone() {
  LAPSE_TRY(auto reader, once_more());
  const auto shape = [](const Header& header) { return std::tuple(header.width, header.height, header.channels); };
  if (shape(reader->header_) != shape(header_)) return refuse(kDamaged);  // the file has just been written to
  std::vector<std::byte> known(kRowsAtOnce * header_.width * header_.channels);
  for (std::size_t y = 0; y < next_row_; y += kRowsAtOnce) LAPSE_CHECK(reader->read(std::min(kRowsAtOnce, next_row_ - y), known));
  instead_ = std::move(reader);
  return {};
}

Result<void> Reader::sniff() {
  if (const int problem = source_.open(file_); problem != 0) return refuse(kUnreadable, std::strerror(problem));
  if (source_.size() == 0) return refuse(kEmpty);
  if (source_.size() > limits_.bytes) return refuse(kTooManyBytes, megabytes(source_.size(), limits_.bytes));
  const auto format = image::sniff(source_.first());
  if (!format) return refuse(kNoPhoto, std::string(other_kind(source_.first())));
  if (!reads(*format)) return refuse(kNoDecoder, std::string(name(*format)));
  header_.format = *format;
  if (*format == Format::Heic || *format == Format::Avif) alone_ = true;  // libvips complains of good ones, too: of seeks behind the end
  return {};
}

Result<void> Reader::load() {
  const Structure structure = look_at(file_, header_.format);
  if (!structure.complete) return refuse(kTruncated);
  if (structure.flooded) return refuse(kDamaged);
  const Calls calls(alone_);
  const Watch watch(*this);
  const auto load_at = [&](int by) -> Result<void> {
    loaded_ = load_with(header_.format, source_.handle(), by);
    if (watch.over()) return refuse(kTooSlow);
    if (loaded_ == nullptr) return why(calls);
    return {};
  };
  LAPSE_CHECK(load_at(1));
  LAPSE_CHECK(check_size());
  if (const int by = reduction(); by > 1) LAPSE_CHECK(load_at(by));
  int frames = 1;
  if (vips_image_get_typeof(loaded_.get(), VIPS_META_N_PAGES) != 0) vips_image_get_int(loaded_.get(), VIPS_META_N_PAGES, &frames);
  if (structure.animated || (frames > 1 && header_.format == Format::Webp)) header_.notes.push_back(kFirstFrame.english);
  rows_ = to_srgb(loaded_.get(), header_.notes);
  if (rows_ == nullptr) return why(calls);
  header_.channels = static_cast<std::size_t>(rows_->Bands);
  keep_fields();
  return {};
}

Result<void> Reader::check_size() const {
  const auto width = static_cast<std::uint64_t>(loaded_->Xsize), height = static_cast<std::uint64_t>(loaded_->Ysize);
  const std::uint64_t side = std::max(width, height), pixels = width * height;
  if (pixels > limits_.pixels) return refuse(kTooManyPixels, megapixels(pixels, limits_.pixels));
  if (side > limits_.side) return refuse(kTooLong, fmt::format("{} > {}", side, limits_.side));
  if (pixels > limits_.whole && in_one_piece()) return refuse(kTooLargeWhole, megapixels(pixels, limits_.whole));
  return {};
}

// libjpeg makes of each block of 8 x 8 pixels one of 4, 2 or 1. What is left of a factor of two is for a better filter.
int Reader::reduction() const {
  const auto side = static_cast<std::size_t>(std::min(loaded_->Xsize, loaded_->Ysize));
  if (header_.format != Format::Jpeg || shorter_ == 0) return 1;
  for (const std::size_t by : {8U, 4U, 2U}) {
    if (side / by >= 2 * shorter_) return static_cast<int>(by);
  }
  return 1;
}

// libjpeg holds all coefficients of a picture with several scans, as progressive ones have; libpng all rows of an interlaced one; libwebp
// and libheif decode a picture as one.
bool Reader::in_one_piece() const {
  if (header_.format == Format::Jpeg) return flag(loaded_.get(), "jpeg-multiscan");
  if (header_.format == Format::Png) return flag(loaded_.get(), "interlaced");
  return true;
}

// EXIF's orientation: 1 is upright and 2 mirrored, which rows in their order can be. For the rest the whole picture has to be there first.
Result<void> Reader::turn() {
  constexpr int kUpright = 1, kMirrored = 2;
  const int orientation = vips_image_get_orientation(loaded_.get());
  if (orientation == kUpright) return {};
  if (orientation != kMirrored) {
    const auto width = static_cast<std::size_t>(rows_->Xsize), height = static_cast<std::size_t>(rows_->Ysize);
    if (!canvas_.reserve(width * height * header_.channels)) return refuse(kNoMemory);
    LAPSE_CHECK(copy(rows_.get(), 0, height, canvas_.bytes().data()));
    rows_.reset(vips_image_new_from_memory(canvas_.bytes().data(), canvas_.bytes().size(), static_cast<int>(width),
                                           static_cast<int>(height), static_cast<int>(header_.channels), VIPS_FORMAT_UCHAR));
    if (rows_ == nullptr) return refuse(kNoMemory);
    vips_image_set_int(rows_.get(), VIPS_META_ORIENTATION, orientation);
  }
  rows_ = make([&](VipsImage** out) { return vips_autorot(rows_.get(), out, nullptr); });
  if (rows_ == nullptr) return refuse(kNoMemory);
  return {};
}

void Reader::keep_fields() {
  Image fields = make([](VipsImage** out) { return vips_black(out, 1, 1, nullptr); });
  if (fields == nullptr) return;
  const auto keep = [](VipsImage*, const char* field, GValue* value, void* to) -> void* {
    const std::string_view name = field;
    const bool told = name.starts_with("exif-") || name == VIPS_META_XMP_NAME || name == VIPS_META_IPTC_NAME;
    const bool no_use = name == "exif-ifd0-Orientation" || name.starts_with("exif-ifd1-");  // ifd1: the thumbnail
    if (told && !no_use) vips_image_set(static_cast<VipsImage*>(to), field, value);
    return nullptr;
  };
  vips_image_map(loaded_.get(), keep, fields.get());
  metadata_ = std::make_shared<Fields>(std::move(fields));
}

Result<void> Reader::read(std::size_t rows, std::span<std::byte> to) {
  enter_thread();
  if (instead_ == nullptr) {
    const auto copied = copy(rows_.get(), next_row_, rows, to.data());
    if (copied) next_row_ += rows;
    if (settled(copied)) return copied;
    LAPSE_CHECK(go_on_alone());
  }
  return instead_->read(rows, to);
}

Result<void> Reader::copy(VipsImage* from, std::size_t top, std::size_t rows, std::byte* to) {
  const Calls calls(alone_);
  const Watch watch(*this);
  const std::size_t row_bytes = static_cast<std::size_t>(from->Xsize) * header_.channels;
  for (std::size_t done = 0; done < rows; done += kRowsAtOnce) {
    if (watch.over()) return refuse(kTooSlow);
    const VipsRect wanted{0, static_cast<int>(top + done), from->Xsize, static_cast<int>(std::min(kRowsAtOnce, rows - done))};
    const Ref<VipsRegion> region(vips_region_new(from));
    if (region == nullptr || vips_region_prepare(region.get(), &wanted) != 0) {
      if (watch.over()) return refuse(kTooSlow);
      return why(calls);
    }
    if (calls.wrong_pixels()) return refuse(kDamaged);
    for (int y = 0; y < wanted.height; ++y) {
      std::memcpy(to, VIPS_REGION_ADDR(region.get(), 0, wanted.top + y), row_bytes);
      to += row_bytes;
    }
  }
  return {};
}

tl::unexpected<Error> Reader::why(const Calls& calls) const {
  if (calls.out_of_memory()) return refuse(kNoMemory);
  return refuse(source_.met_end() && (header_.format == Format::Jpeg || header_.format == Format::Png) ? kTruncated : kDamaged);
}

}  // namespace lapse::image::vips
