#pragma once
// One folder's fsync, shared by those who wait for it at the same time: the first comer does it for all who came before it began.
//
// Threads: any. Blocks on the disk. A failure is final for this folder: no later call says durable.

#include <condition_variable>
#include <cstdint>
#include <lapse/jobs/disk.hpp>
#include <mutex>
#include <optional>
#include <string>

namespace lapse::jobs {

class FolderSync {
 public:
  explicit FolderSync(std::string path) : path_(std::move(path)) {}
  /// Held open from here on, because a failed write-back is told to the descriptors that were open.
  Result<void> open();
  /// Every entry that was made in the folder before the call is durable when it returns.
  Result<void> sync();

 private:
  const std::string path_;
  File folder_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::uint64_t asked_ = 0, done_ = 0;  // calls so far; calls whose entries are durable
  bool running_ = false;
  std::optional<Error> failure_;
};

}  // namespace lapse::jobs
