// Any bytes as a photo, decoded and cut into tiles: a model that changes nothing gives back the very rows that were decoded, or the file is
// refused with one of the fixed sentences. And preprocessed for a classifier, which no picture is refused for.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <lapse/image/enlargement.hpp>
#include <lapse/image/faults.hpp>
#include <lapse/image/preprocess.hpp>
#include <lapse/image/vips/codec.hpp>
#include <string>

using namespace lapse;
using namespace lapse::image;

namespace {

constexpr Limits kLimits{.pixels = 1'000'000, .whole = 1'000'000, .time = std::chrono::seconds{2}};
constexpr Scaling kScaling{1, 24, 3};

void check(bool good) {
  if (!good) std::abort();
}

class MemoryWriter final : public PhotoWriter {
 public:
  explicit MemoryWriter(std::vector<std::byte>& to) : to_(to) {}
  Result<void> write(std::size_t, std::span<const std::byte> from) override {
    to_.insert(to_.end(), from.begin(), from.end());
    return {};
  }
  Result<void> finish() override { return {}; }

 private:
  std::vector<std::byte>& to_;
};

Result<std::vector<std::byte>> whole(const std::string& file) {
  LAPSE_TRY(const auto codec, vips::codec());
  LAPSE_TRY(const auto reader, codec->open(file, kLimits));
  const Header& header = reader->header();
  std::vector<std::byte> pixels(header.width * header.height * header.channels);
  LAPSE_CHECK(reader->read(header.height, pixels));
  return pixels;
}

Result<std::vector<std::byte>> in_tiles(const std::string& file) {
  LAPSE_TRY(const auto codec, vips::codec());
  LAPSE_TRY(auto reader, codec->open(file, kLimits));
  std::vector<std::byte> pixels;
  LAPSE_TRY(const auto work, Enlargement::make(std::move(reader), std::make_unique<MemoryWriter>(pixels), kScaling));
  const auto [channels, rows, columns] = work->shape();
  std::vector<float> tile(channels * rows * columns);
  while (!work->all()) {
    LAPSE_TRY(const auto index, work->next(tile));
    check(index.has_value());
    LAPSE_CHECK(work->put(*index, tile));
  }
  check(work->done() == work->total());
  LAPSE_CHECK(work->finish());
  return pixels;
}

Result<std::vector<float>> preprocessed(const std::string& file) {
  constexpr Preprocessing kHow{.width = 14, .height = 12, .resize_shorter = 16};
  LAPSE_TRY(const auto codec, vips::codec());
  std::vector<float> values(3 * kHow.width * kHow.height);
  LAPSE_CHECK(preprocess(*codec, file, kLimits, kHow, values));
  return values;
}

bool told(const Error& error) { return std::ranges::count(sentences(), error.message, &Sentence::english) == 1; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int memory = ::memfd_create("photo", 0);
  static const std::string file = "/proc/self/fd/" + std::to_string(memory);
  check(::ftruncate(memory, 0) == 0 && ::pwrite(memory, data, size, 0) == static_cast<ssize_t>(size));
  const auto rows = whole(file), tiles = in_tiles(file);
  check(rows.has_value() == tiles.has_value());
  if (rows) {
    check(*rows == *tiles);
  } else {
    check(told(rows.error()));
  }
  const auto values = preprocessed(file);
  check(values ? std::ranges::all_of(*values, [](float value) { return std::abs(value) < 3; }) : !rows && told(values.error()));
  return 0;
}
