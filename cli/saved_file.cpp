#include "cli/saved_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace lapse::cli {

Result<std::string> read_saved(const std::string& path) {
  std::error_code failed;
  std::ifstream stream(path, std::ios::binary);
  const auto status = std::filesystem::status(path, failed);
  if (!stream.is_open() || !(std::filesystem::is_regular_file(status) || std::filesystem::is_fifo(status))) {
    return fail(ErrorCode::BadInput, fmt::format("{} can't be read", path), "give a file that lapse wrote with --json FILE");
  }
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace lapse::cli
