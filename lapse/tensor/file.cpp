#include "lapse/tensor/file.hpp"

#include <fmt/format.h>
#include <cerrno>
#include <fstream>
#include <lapse/host/memory.hpp>
#include <system_error>

namespace lapse::tensor {

Result<std::vector<std::byte>> read_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return fail(ErrorCode::BadInput, fmt::format("there is no file {}", path.string()));
  if (!std::filesystem::is_regular_file(status)) return fail(ErrorCode::BadInput, fmt::format("{} is not a regular file", path.string()));
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  const auto available = host::available();
  if (!error && available && size > *available) {
    return fail(ErrorCode::OutOfMemory, fmt::format("{} has {} bytes, more than the memory that is left", path.string(), size));
  }
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) {
    const std::error_code reason = error ? error : std::error_code(errno, std::generic_category());
    return fail(ErrorCode::BadInput, fmt::format("cannot open {}: {}", path.string(), reason.message()));
  }
  std::vector<std::byte> bytes(size);
  if (!stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
    return fail(ErrorCode::BadInput, fmt::format("cannot read {}", path.string()));
  }
  return bytes;
}

Error in_file(const std::filesystem::path& path, Error error) {
  error.message = path.string() + ": " + error.message;
  return error;
}

}  // namespace lapse::tensor
