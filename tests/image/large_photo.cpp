// A photo of 100 megapixels through the whole path, from its file to the enlarged file, and what it took:
//   large_photo MEGAPIXELS SCALE FILE.jpg|FILE.png [OUT]       OUT: FILE's name with -large (default)
// The model repeats pixels: decoding, tiles and encoding are what is looked at. Ends with 1 where memory passed 600 MB at any time.

#include <fmt/format.h>
#include <vips/vips.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <lapse/host/memory.hpp>
#include <lapse/image/line.hpp>
#include <lapse/image/vips/codec.hpp>

using namespace lapse;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMost = 600'000'000;

// Noise over a gradient, as large as it is said, written with little memory.
bool make(const char* file, double megapixels) {
  const int side = static_cast<int>(std::sqrt(megapixels * 1e6));
  VipsImage *noise = nullptr, *slope = nullptr, *sum = nullptr, *bytes = nullptr, *colours = nullptr, *tagged = nullptr;
  const bool made =
      vips_gaussnoise(&noise, side, side, "mean", 128.0, "sigma", 8.0, nullptr) == 0 && vips_xyz(&slope, side, side, nullptr) == 0;
  if (!made) return false;
  const double steps[] = {100.0 / side, -100.0 / side}, zero[] = {0, 100};
  VipsImage* ramp = nullptr;
  return vips_linear(slope, &ramp, steps, zero, 2, nullptr) == 0 && vips_add(noise, ramp, &sum, nullptr) == 0 &&
         vips_cast_uchar(sum, &bytes, nullptr) == 0 && vips_bandjoin2(bytes, noise, &colours, nullptr) == 0 &&
         vips_cast_uchar(colours, &tagged, nullptr) == 0 && vips_image_write_to_file(tagged, file, nullptr) == 0;
}

Result<tensor::Tensor> repeat(const tensor::TensorView& in, std::int64_t scale) {
  LAPSE_TRY(auto out, tensor::Tensor::make(tensor::DType::Float32, {in.shape[0], 3, in.shape[2] * scale, in.shape[3] * scale}));
  const auto* from = reinterpret_cast<const float*>(in.data);
  auto* to = reinterpret_cast<float*>(out.data());
  const std::int64_t rows = in.shape[0] * 3 * in.shape[2], columns = in.shape[3];
  for (std::int64_t y = 0; y < rows * scale; ++y) {
    for (std::int64_t x = 0; x < columns; ++x) {
      for (std::int64_t i = 0; i < scale; ++i) *to++ = from[y / scale * columns + x];
    }
  }
  return out;
}

Result<void> enlarge(const fs::path& file, const fs::path& to, std::size_t scale) {
  LAPSE_TRY(const image::Codec* codec, image::vips::codec());
  LAPSE_TRY(auto reader, codec->open(file, {}));
  const image::Header header = reader->header();
  LAPSE_TRY(const auto format, image::choose_format(*codec, header, scale, image::format_of_suffix(to.extension().string())));
  std::ofstream stream(to, std::ios::binary);
  LAPSE_TRY(auto writer, codec->create({format, header.width * scale, header.height * scale, header.channels, reader->metadata()},
                                       [&](std::span<const std::byte> bytes) -> Result<void> {
                                         stream.write(reinterpret_cast<const char*>(bytes.data()),
                                                      static_cast<std::streamsize>(bytes.size()));
                                         return {};
                                       }));
  LAPSE_TRY(auto enlargement, image::Enlargement::make(std::move(reader), std::move(writer), {scale, 128, 12}));
  Result<void> ended;
  auto order = std::make_unique<image::Order>(image::Order{std::move(enlargement), [&](const Result<void>& how) { ended = how; }});
  image::LineOptions options;
  options.scale = scale;
  LAPSE_CHECK(image::enlarge([&] { return std::move(order); }, [&](const auto& in) { return repeat(in, static_cast<std::int64_t>(scale)); },
                             options));
  return ended;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const fs::path file = argv[3];
  const double megapixels = std::atof(argv[1]);
  const auto scale = static_cast<std::size_t>(std::atoi(argv[2]));
  const fs::path to = argc > 4 ? fs::path(argv[4]) : file.parent_path() / (file.stem().string() + "-large" + file.extension().string());
  // Made by a process of its own, so that its memory is its own too.
  if (!fs::exists(file)) {
    if (vips_init("large_photo") != 0 || !make(file.c_str(), megapixels)) return 2;
    execv("/proc/self/exe", argv);
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto done = enlarge(file, to, scale);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!done) {
    fmt::print("{}: {} ({})\n", file.string(), done.error().message, done.error().hint);
    return 2;
  }
  const std::uint64_t peak = host::peak_resident();
  fmt::print("{} of {} MP, x{}: {:.1f} s, {:.1f} MP/s, peak {} MB\n", file.extension().string().substr(1), megapixels, scale, seconds,
             megapixels / seconds, peak / 1'000'000);
  return peak <= kMost ? 0 : 1;
}
