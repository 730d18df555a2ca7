#pragma once
// Which photos are to be enlarged, and into which files.

#include <filesystem>
#include <fstream>
#include <lapse/image/codec.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lapse::cli {

/// A file that appears under its name only when it is whole; gone if it never was.
class PartFile {
 public:
  /// Error: Unavailable with the system's reason.
  static Result<std::unique_ptr<PartFile>> create(const std::filesystem::path& path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  Result<void> append(std::span<const std::byte> bytes);
  Result<void> finish();

 private:
  explicit PartFile(std::filesystem::path path) : path_(std::move(path)), part_(path_) {}
  tl::unexpected<Error> cannot() const;
  std::filesystem::path path_, part_;
  std::ofstream stream_;
};

/// Files are photos whatever they are called; of a folder those are whose name or content says so.
/// Errors: BadInput for what is not there, and for a folder without photos.
Result<std::vector<std::filesystem::path>> find_photos(const std::vector<std::string>& inputs);

class PhotoTargets {
 public:
  /// `output` is a folder if it is one, ends in '/', or more than one photo goes there; it is made. Errors: BadUse.
  static Result<PhotoTargets> make(const std::string& output, bool several, std::optional<image::Format> format);
  /// The format that was asked for, by the file's name or otherwise.
  std::optional<image::Format> wanted() const noexcept { return format_; }
  /// Where the enlarged photo goes. Error: BadUse when that is the photo itself, or another one's place.
  Result<std::filesystem::path> of(const std::filesystem::path& photo, image::Format format);

 private:
  std::filesystem::path output_;
  bool folder_ = false;
  std::optional<image::Format> format_;
  std::set<std::filesystem::path> taken_;
};

}  // namespace lapse::cli
