#include "cli/output_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace lapse::cli {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> cannot_write(std::string_view path) {
  return fail(ErrorCode::BadUse, fmt::format("{} can't be written: {}", path, std::strerror(errno)),
              "choose another file, or - for stdout");
}

Result<void> write_all(const std::string& file, std::string_view text, std::string_view name) {
  std::FILE* stream = std::fopen(file.c_str(), "wb");
  if (stream == nullptr) return cannot_write(name);
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  const bool closed = std::fclose(stream) == 0;
  if (!written || !closed) return cannot_write(name);
  return {};
}

std::string part_of(const fs::path& path) { return fmt::format("{}.{}.part", path.string(), getpid()); }

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
  if (path == "-") return OutputFile{path};
  std::error_code failed;
  OutputFile file{fs::weakly_canonical(path, failed)};
  const fs::file_status status = fs::status(file.path_, failed);
  if (fs::is_directory(status)) {
    return fail(ErrorCode::BadUse, fmt::format("{} can't be written: it is a folder", path), "name a file in it");
  }
  if (fs::exists(status) && access(file.path_.c_str(), W_OK) != 0) return cannot_write(path);
  if (fs::exists(status) && !fs::is_regular_file(status)) return file;  // a device or a pipe
  file.regular_ = true;
  const std::string trial = part_of(file.path_);
  LAPSE_CHECK(write_all(trial, "", path));
  fs::remove(trial, failed);
  return file;
}

Result<void> OutputFile::write(std::string_view text) const {
  if (is_stdout()) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) return cannot_write("stdout");
    return {};
  }
  if (!regular_) return write_all(path_.string(), text, path_.string());
  const std::string part = part_of(path_);
  const auto written = write_all(part, text, path_.string());
  if (written && std::rename(part.c_str(), path_.c_str()) == 0) return {};
  auto error = written ? Result<void>{cannot_write(path_.string())} : written;
  std::error_code ignored;
  fs::remove(part, ignored);
  return error;
}

}  // namespace lapse::cli
