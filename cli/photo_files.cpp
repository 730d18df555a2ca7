#include "cli/photo_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lapse::cli {
namespace {

namespace fs = std::filesystem;

bool looks_like_photo(const fs::path& file) {
  if (image::format_of_suffix(file.extension().string())) return true;
  std::array<char, image::kSniffed> first{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(first.data(), first.size());
  return image::sniff(std::as_bytes(std::span(first)).first(static_cast<std::size_t>(stream.gcount()))).has_value();
}

Result<std::vector<fs::path>> photos_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    const bool hidden = entry.path().filename().string().starts_with('.');
    if (!hidden && entry.is_regular_file(failed) && looks_like_photo(entry.path())) found.push_back(entry.path());
  }
  if (found.empty()) return fail(ErrorCode::BadInput, fmt::format("{}: there is no photo in this folder", folder.string()));
  std::ranges::sort(found);
  return found;
}

}  // namespace

Result<std::unique_ptr<PartFile>> PartFile::create(const fs::path& path) {
  std::unique_ptr<PartFile> file(new PartFile(path));
  file->part_ += fmt::format(".{}.part", getpid());
  file->stream_.open(file->part_, std::ios::binary | std::ios::trunc);
  if (!file->stream_) return file->cannot();
  return file;
}

PartFile::~PartFile() {
  std::error_code ignored;
  if (!part_.empty()) fs::remove(part_, ignored);
}

tl::unexpected<Error> PartFile::cannot() const {
  return fail(ErrorCode::Unavailable, fmt::format("{} can't be written: {}", path_.string(), std::strerror(errno)));
}

Result<void> PartFile::append(std::span<const std::byte> bytes) {
  if (!stream_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) return cannot();
  return {};
}

Result<void> PartFile::finish() {
  stream_.close();
  if (!stream_ || std::rename(part_.c_str(), path_.c_str()) != 0) return cannot();
  part_.clear();
  return {};
}

Result<std::vector<fs::path>> find_photos(const std::vector<std::string>& inputs) {
  std::vector<fs::path> photos;
  for (const fs::path input : inputs) {
    std::error_code failed;
    const auto status = fs::status(input, failed);
    if (!fs::exists(status)) return fail(ErrorCode::BadInput, fmt::format("{}: no such file or folder", input.string()));
    if (!fs::is_directory(status)) {
      photos.push_back(input);
      continue;
    }
    LAPSE_TRY(const auto found, photos_in(input));
    photos.insert(photos.end(), found.begin(), found.end());
  }
  return photos;
}

Result<PhotoTargets> PhotoTargets::make(const std::string& output, bool several, std::optional<image::Format> format) {
  PhotoTargets targets;
  targets.output_ = output;
  targets.format_ = format;
  std::error_code failed;
  targets.folder_ = several || output.ends_with('/') || fs::is_directory(output, failed);
  if (targets.folder_) {
    fs::create_directories(output, failed);
    if (!fs::is_directory(output)) return fail(ErrorCode::BadUse, fmt::format("{} can't be made a folder: {}", output, failed.message()));
    return targets;
  }
  const auto named = image::format_of_suffix(targets.output_.extension().string());
  if (!named)
    return fail(ErrorCode::BadUse, fmt::format("{} tells no picture format by its name", output), "end it in .jpg, .png or .webp");
  if (format && *format != *named) {
    return fail(ErrorCode::BadUse, fmt::format("{} is no name for {}", output, image::name(*format)), "leave --format out");
  }
  targets.format_ = named;
  return targets;
}

Result<fs::path> PhotoTargets::of(const fs::path& photo, image::Format format) {
  fs::path target = output_;
  if (folder_) target = output_ / photo.filename().replace_extension(image::suffix(format));
  std::error_code failed;
  if (fs::equivalent(target, photo, failed)) return fail(ErrorCode::BadUse, "it would be written over", "name another folder with -o");
  if (!taken_.insert(target.lexically_normal()).second) {
    return fail(ErrorCode::BadUse, fmt::format("another photo goes to {}", target.string()), "enlarge it in a run of its own");
  }
  return target;
}

}  // namespace lapse::cli
