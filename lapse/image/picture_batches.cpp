#include <fmt/format.h>

#include <lapse/image/picture_batches.hpp>

namespace lapse::image {

Result<std::vector<bool>> PictureBatches::fill(std::size_t batch, std::span<std::byte> input) {
  const std::size_t row = 3 * options_.preprocessing.height * options_.preprocessing.width;
  const std::span<float> rows{reinterpret_cast<float*>(input.data()), input.size() / sizeof(float)};
  const std::size_t first = batch % count() * options_.size;
  std::vector<bool> there(options_.size);
  for (std::size_t item = 0; item < options_.size && first + item < files_.size(); ++item) {
    const std::filesystem::path& file = files_[first + item];
    const auto done = preprocess(codec_, file, options_.limits, options_.preprocessing, rows.subspan(item * row, row));
    there[item] = done.has_value();
    if (done) continue;
    if (options_.strict) {
      Error error = done.error();
      error.message = fmt::format("{}: {}", file.string(), error.message);
      return tl::unexpected(std::move(error));
    }
    const std::lock_guard lock{mutex_};
    skipped_.emplace(file, done.error());
  }
  return there;
}

std::map<std::filesystem::path, Error> PictureBatches::skipped() const {
  const std::lock_guard lock{mutex_};
  return skipped_;
}

}  // namespace lapse::image
