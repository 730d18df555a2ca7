#pragma once
// From a photo's file to its way through a model: opened, its format chosen, its writer made.

#include <functional>
#include <lapse/image/codec.hpp>
#include <lapse/image/enlargement.hpp>
#include <memory>
#include <optional>

namespace lapse::image {

struct OpenOptions {
  Limits limits{};
  Scaling scaling{};
  std::optional<Format> wanted{};  // nothing: choose_format chooses
  bool keep_metadata = false;
};

struct Opened {
  std::unique_ptr<Enlargement> enlargement;
  Header header;  // of the photo, with what is to be remarked on the enlarged one
  Format format;  // of the enlarged one
};

/// Where the enlarged picture goes, once its format is known.
using Target = std::function<Result<Sink>(Format)>;

/// No pixel is decoded yet. Errors: the codec's, choose_format's, the target's, Tiling::make's.
Result<Opened> open_photo(const Codec& codec, const std::filesystem::path& file, const OpenOptions& options, const Target& target);

}  // namespace lapse::image
