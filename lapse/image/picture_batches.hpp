#pragma once
// Picture files as the batches of a model: decoded, resized and normalised into the rows of its input.

#include <cstddef>
#include <filesystem>
#include <lapse/base/error.hpp>
#include <lapse/image/preprocess.hpp>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace lapse::image {

/// Batch b holds the files b·size … b·size + size - 1, and goes on with the first file behind the last one. Threads: any number at once.
class PictureBatches {
 public:
  struct Options {
    std::size_t size = 1;  // items of a batch
    Preprocessing preprocessing{};
    Limits limits{};
    bool strict = false;  // a file that can't be read is an error; else its item is missing
  };

  /// `files` is not empty.
  PictureBatches(const Codec& codec, std::vector<std::filesystem::path> files, Options options)
      : codec_(codec), files_(std::move(files)), options_(options) {}

  /// So many batches hold every file once; in the last one items may be missing.
  std::size_t count() const noexcept { return (files_.size() + options_.size - 1) / options_.size; }
  /// Fills `input`, float32 of size x 3 x height x width, and says which items are there. Errors: of a strict one, what is wrong with a
  /// file.
  Result<std::vector<bool>> fill(std::size_t batch, std::span<std::byte> input);

  /// The files that couldn't be read, and why.
  std::map<std::filesystem::path, Error> skipped() const;

 private:
  const Codec& codec_;
  const std::vector<std::filesystem::path> files_;
  const Options options_;
  mutable std::mutex mutex_;
  std::map<std::filesystem::path, Error> skipped_;
};

}  // namespace lapse::image
