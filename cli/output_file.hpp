#pragma once
// A file that a result goes to. That it can be written is known before anything is measured; it appears whole or not at all.

#include <filesystem>
#include <lapse/base/error.hpp>
#include <string>
#include <string_view>

namespace lapse::cli {

class OutputFile {
 public:
  /// "-" is stdout. A regular file is written beside its place and moved there by write(). Error: BadUse when that can't be done.
  static Result<OutputFile> open(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;

  bool is_stdout() const noexcept { return path_ == "-"; }
  /// Once. Error: BadInput with the system's reason (disk full, …).
  Result<void> write(std::string_view text);

 private:
  explicit OutputFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::filesystem::path part_;  // empty: written straight to path_
};

}  // namespace lapse::cli
