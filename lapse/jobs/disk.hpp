#pragma once
// The few things that are asked of a file system, and what is said when it refuses.
//
// Durability: a file's content is on the disk after its fsync, its name after the fsync of its folder. A failed fsync is final: the kernel
// has marked the pages clean by then, so asking once more would get a false yes.

#include <lapse/base/error.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace lapse::jobs {

/// Unavailable: what could not be done to which path, the system's reason, and what helps.
Error disk_error(std::string_view what, const std::string& path, int system_error);

/// An open file, closed when it goes.
class File {
 public:
  File() = default;
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();
  int operator*() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// open(2), always close-on-exec; new files are for their owner alone, as they hold other people's data.
Result<File> open_file(const std::string& path, int flags);
Result<void> write_all(const File& file, std::string_view bytes, const std::string& path);
/// The fsync of a file or folder by name.
Result<void> sync_path(const std::string& path);
/// Makes the folder and those above it that are missing, each durable.
Result<void> make_folder(const std::string& path);

}  // namespace lapse::jobs
