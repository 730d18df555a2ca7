#pragma once
// The control group (version 1 or 2) that this process runs in: what it may use, and whether it was held back. Internal to this floor.
//
// Limits hold for a group and for all above it, so the smallest on the way up counts, as far as the mounts show it: a container sees its
// own group as the root. On a hybrid system each controller is looked for in version 1 first, as the kernel gives it to one version only.
//
// Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/{memory,cpuacct}.rst, Documentation/scheduler/sched-bwc.rst.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace lapse::host {

class ControlGroup {
 public:
  /// `root` stands for "/", so that a test can bring its own files.
  explicit ControlGroup(const std::filesystem::path& root = "/");

  /// CPUs, such as 1.5; nothing when there is no limit.
  std::optional<double> cpu_limit() const;
  /// Bytes; nothing when there is no limit.
  std::optional<std::uint64_t> memory_limit() const;
  /// Bytes that may still be taken: the limit less what is used, but for the file cache, which the kernel gives back on demand.
  std::optional<std::uint64_t> memory_left() const;
  /// Periods in which the group was out of CPU time, since it began.
  std::uint64_t throttled_periods() const;

 private:
  /// One controller's directories, from this process's group up to the highest that is visible.
  struct Levels {
    bool version_2 = false;
    std::vector<std::filesystem::path> directories;
  };
  static Levels find(const std::filesystem::path& root, const char* controller);

  Levels cpu_;
  Levels memory_;
};

}  // namespace lapse::host
