#include "cli/output_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

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

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
  OutputFile file{path};
  if (file.is_stdout()) return file;
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (fs::is_directory(status)) {
    return fail(ErrorCode::BadUse, fmt::format("{} can't be written: it is a folder", path), "name a file in it");
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) return file;  // a device or a pipe
  if (fs::exists(status) && access(path.c_str(), W_OK) != 0) return cannot_write(path);
  file.part_ = fmt::format("{}.{}.part", path, getpid());
  LAPSE_CHECK(write_all(file.part_.string(), "", path));
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept : path_(std::move(other.path_)), part_(std::exchange(other.part_, {})) {}

OutputFile::~OutputFile() {
  std::error_code ignored;
  if (!part_.empty()) fs::remove(part_, ignored);
}

Result<void> OutputFile::write(std::string_view text) {
  if (is_stdout()) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) return cannot_write("stdout");
    return {};
  }
  if (part_.empty()) return write_all(path_, text, path_);
  LAPSE_CHECK(write_all(part_.string(), text, path_));
  if (std::rename(part_.c_str(), path_.c_str()) != 0) return cannot_write(path_);
  part_.clear();
  return {};
}

}  // namespace lapse::cli
