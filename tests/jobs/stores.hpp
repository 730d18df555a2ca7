#pragma once
// What the suites of job and blob stores share: a folder of their own, a clock that the test turns, and short ways to say things.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <lapse/jobs/job_store.hpp>
#include <memory>
#include <string>

namespace lapse::jobs {

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "lapse-jobs-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The time of day, as the test wants it.
class FakeClock {
 public:
  Clock clock() {
    return [now = now_] { return Time{Duration{now->load()}}; };
  }
  Time now() const { return Time{Duration{now_->load()}}; }
  void forward(Duration step) { *now_ += step.count(); }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> now_ = std::make_shared<std::atomic<std::int64_t>>(1'700'000'000'000'000'000);
};

/// How a store is opened, so that one suite runs on each. Opening the same folder again finds what was there.
struct StoreFactory {
  std::string name;
  std::function<Result<std::unique_ptr<JobStore>>(const std::string& folder, const Limits& limits, Clock clock)> open;
};

inline BlobId blob_named(int number) {
  BlobId id;
  id.hex = std::string(64, '0');
  const std::string digits = std::to_string(number);
  id.hex.replace(64 - digits.size(), digits.size(), digits);
  return id;
}

inline Payload payload_of(int blob, std::uint64_t size = 1) {
  Payload payload;
  payload.blob.id = blob_named(blob);
  payload.blob.size = size;
  payload.content_type = "application/json";
  return payload;
}

/// What a worker says of an attempt that worked out.
inline JobStore::Completion completion_of(Lease lease, int blob = 2) {
  JobStore::Completion completion;
  completion.lease = lease;
  completion.result = payload_of(blob, 200);
  return completion;
}

inline std::vector<std::string> ids_of(const std::vector<Claimed>& claimed) {
  std::vector<std::string> ids;
  for (const Claimed& one : claimed) ids.push_back(one.job.spec.id);
  return ids;
}

inline JobSpec spec_of(const std::string& owner, const std::string& id, int priority = 0, const std::string& model = "model") {
  JobSpec spec;
  spec.owner = owner;
  spec.id = id;
  spec.model = model;
  spec.priority = priority;
  spec.input = payload_of(1, 100);
  spec.digest = "digest of " + id;
  return spec;
}

}  // namespace lapse::jobs
