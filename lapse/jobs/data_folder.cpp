#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <lapse/jobs/data_folder.hpp>

namespace lapse::jobs {

Result<DataFolder> DataFolder::open(const std::string& folder) {
  LAPSE_CHECK(make_folder(folder));
  const std::string path = folder + "/lock";
  LAPSE_TRY(File lock, open_file(path, O_RDWR | O_CREAT));
  if (::flock(*lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return tl::unexpected(disk_error("locked", path, errno));
    std::array<char, 16> holder{};
    const ssize_t size = ::pread(*lock, holder.data(), holder.size(), 0);
    return fail(ErrorCode::Unavailable,
                fmt::format("{} is in use by another server (process {})", folder,
                            size > 0 ? std::string_view(holder.data(), static_cast<std::size_t>(size)) : "unknown"),
                "end it first, or give another data folder");
  }
  if (::ftruncate(*lock, 0) != 0) return tl::unexpected(disk_error("written", path, errno));
  LAPSE_CHECK(write_all(lock, fmt::format("{}", ::getpid()), path));
  return DataFolder{folder, std::move(lock)};
}

}  // namespace lapse::jobs
