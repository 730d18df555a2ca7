#pragma once
// The folder that a server keeps everything in, and the right to be the only server in it.
//
//   DATA/jobs.sqlite (and its -wal, -shm)   jobs, events, webhook messages
//   DATA/blobs/                             inputs and results
//   DATA/secret, DATA/tokens.json           what cookies, webhooks and tokens are told by: lapse/serve/access
//   DATA/lock                               locked (flock) while a server lives, with its process id inside

#include <array>
#include <lapse/base/error.hpp>
#include <lapse/jobs/disk.hpp>
#include <string>

namespace lapse::jobs {

class DataFolder {
 public:
  static constexpr std::array kKeys{"secret", "tokens.json"};
  static std::string database(const std::string& folder) { return folder + "/jobs.sqlite"; }
  static std::string blobs(const std::string& folder) { return folder + "/blobs"; }

  /// Makes the folder where it is missing, and locks it until this object goes. Error: Unavailable (another server has it; it can't be
  /// written).
  static Result<DataFolder> open(const std::string& folder);

  std::string database() const { return database(folder_); }
  std::string blobs() const { return blobs(folder_); }

 private:
  DataFolder(std::string folder, File lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}

  std::string folder_;
  File lock_;
};

}  // namespace lapse::jobs
