#pragma once
// A file that a result goes to. That it can be written is known before anything is measured; it appears whole or not at all.

#include <filesystem>
#include <lapse/base/error.hpp>
#include <string>
#include <string_view>

namespace lapse::cli {

class OutputFile {
 public:
  /// "-" is stdout. Tries that the file can be made; leaves nothing behind. Error: BadUse when it can't.
  static Result<OutputFile> open(const std::string& path);

  bool is_stdout() const noexcept { return path_ == "-"; }
  /// The file that it ends up in, links followed.
  const std::filesystem::path& path() const noexcept { return path_; }
  /// A regular file is written beside its place and moved there. Error: BadUse with the system's reason (disk full, …).
  Result<void> write(std::string_view text) const;

 private:
  explicit OutputFile(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  bool regular_ = false;
};

}  // namespace lapse::cli
