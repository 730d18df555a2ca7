#include <lapse/engine/plugin/model_file.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin {

std::string open_model_file(const std::string& path) {
  constexpr std::size_t kHead = 512;
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw Failure(LAPSE_BAD_MODEL, path + ": no such file");
  if (std::filesystem::is_directory(status)) throw Failure(LAPSE_BAD_MODEL, path + " is a folder, not a model file");
  if (!std::filesystem::is_regular_file(status)) throw Failure(LAPSE_BAD_MODEL, path + " is not a regular file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(LAPSE_BAD_MODEL, path + " can't be read: " + std::generic_category().message(errno));
  std::string head(kHead, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (head.empty()) throw Failure(LAPSE_BAD_MODEL, path + " is empty");
  if (head.starts_with("version https://git-lfs")) {
    throw Failure(LAPSE_BAD_MODEL, path + " is a Git LFS pointer, not the model itself", "fetch the model with: git lfs pull");
  }
  return head;
}

}  // namespace lapse::plugin
