#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <lapse/jobs/folder_sync.hpp>

namespace lapse::jobs {

Result<void> FolderSync::open() {
  LAPSE_TRY(folder_, open_file(path_, O_RDONLY | O_DIRECTORY));
  return {};
}

Result<void> FolderSync::sync() {
  std::unique_lock lock{mutex_};
  const std::uint64_t mine = ++asked_;
  while (!failure_ && done_ < mine) {
    if (running_) {
      ended_.wait(lock);
      continue;
    }
    running_ = true;
    const std::uint64_t covered = asked_;
    lock.unlock();
    const int problem = ::fsync(*folder_) == 0 ? 0 : errno;
    lock.lock();
    running_ = false;
    if (problem == 0) {
      done_ = covered;
    } else {
      failure_ = disk_error("made durable", path_, problem);
    }
    ended_.notify_all();
  }
  if (done_ >= mine) return {};
  return tl::unexpected(*failure_);
}

}  // namespace lapse::jobs
