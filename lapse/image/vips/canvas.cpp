#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <lapse/image/vips/canvas.hpp>
#include <string>

namespace lapse::image::vips {
namespace {

constexpr std::size_t kSmall = std::size_t{128} << 20;  // 40 megapixels: most phones

// Gone with its last descriptor or mapping. -1: no disk.
int nameless_file(std::size_t bytes) {
  std::error_code failed;
  std::string name = (std::filesystem::temp_directory_path(failed) / "lapse-photo-XXXXXX").string();
  const int file = failed ? -1 : ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return -1;
  ::unlink(name.c_str());
  // The blocks themselves: a full disk is an error here, and a signal later.
  if (::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0) return file;
  ::close(file);
  return -1;
}

}  // namespace

bool Canvas::reserve(std::size_t bytes) {
  const int file = bytes > kSmall ? nameless_file(bytes) : -1;
  if (bytes > kSmall && file < 0) return false;
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, file, 0);
  if (file >= 0) ::close(file);
  if (memory == MAP_FAILED) return false;
  bytes_ = {static_cast<std::byte*>(memory), bytes};
  return true;
}

Canvas::~Canvas() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace lapse::image::vips
