#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <lapse/jobs/disk.hpp>
#include <system_error>

namespace lapse::jobs {
namespace {

std::string_view remedy(int system_error) {
  switch (system_error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some disk space, or raise the quota";
    case EROFS:
    case EACCES:
    case EPERM:
      return "the folder has to be writable for the user that the server runs as";
    case EIO:
      return "the disk may be failing: look at the system log, and restart the server once it is sound";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return "";
  }
}

}  // namespace

Error disk_error(std::string_view what, const std::string& path, int system_error) {
  return {ErrorCode::Unavailable, fmt::format("{} can't be {}: {}", path, what, std::generic_category().message(system_error)),
          std::string(remedy(system_error))};
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<File> open_file(const std::string& path, int flags) {
  File file{::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!file) return tl::unexpected(disk_error("opened", path, errno));
  return file;
}

Result<void> write_all(const File& file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(*file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return tl::unexpected(disk_error("written", path, errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> sync_path(const std::string& path) {
  LAPSE_TRY(const File file, open_file(path, O_RDONLY));
  if (::fsync(*file) != 0) return tl::unexpected(disk_error("made durable", path, errno));
  return {};
}

Result<void> make_folder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).lexically_normal();
  const std::filesystem::path above = folder.has_filename() ? folder.parent_path() : folder.parent_path().parent_path();
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (!S_ISDIR(status.st_mode)) return tl::unexpected(disk_error("used", path, ENOTDIR));
    return {};
  }
  if (!above.empty()) LAPSE_CHECK(make_folder(above.string()));
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) return tl::unexpected(disk_error("made", path, errno));
  return sync_path(above.empty() ? "." : above.string());
}

}  // namespace lapse::jobs
