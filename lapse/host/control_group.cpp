#include <algorithm>
#include <lapse/host/control_group.hpp>
#include <lapse/host/kernel_text.hpp>
#include <sstream>
#include <string>
#include <string_view>

namespace lapse::host {
namespace {

namespace fs = std::filesystem;

/// Version 1 writes "no limit" as the largest number of pages: anything from 2^60 bytes up is no limit.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

struct Hierarchy {
  bool version_2 = false;
  std::string path;  // of this process's group, from the hierarchy's own root
};

struct Mount {
  std::string root;  // the group that the mount shows as its top
  std::string point;
};

bool listed(const std::string& names, std::string_view name) {
  std::istringstream list(names);
  for (std::string each; std::getline(list, each, ',');) {
    if (each == name) return true;
  }
  return false;
}

/// Lines of /proc/self/cgroup: "4:memory:/path" (version 1), "0::/path" (version 2).
std::optional<Hierarchy> hierarchy(const std::string& cgroups, std::string_view controller) {
  std::optional<Hierarchy> unified;
  std::istringstream lines(cgroups);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (listed(names, controller)) return Hierarchy{false, line.substr(second + 1)};
    if (names.empty()) unified = Hierarchy{true, line.substr(second + 1)};
  }
  return unified;
}

/// Lines of /proc/self/mountinfo: "id parent device root point options … - type source super-options".
std::optional<Mount> mount(const std::string& mountinfo, bool version_2, std::string_view controller) {
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    Mount found;
    std::string skip, type, options;
    std::istringstream(line) >> skip >> skip >> skip >> found.root >> found.point;
    std::istringstream(line.substr(dash + 3)) >> type >> skip >> options;
    if (version_2 ? type == "cgroup2" : type == "cgroup" && listed(options, controller)) return found;
  }
  return std::nullopt;
}

template <class T>
void keep_smaller(std::optional<T>& smallest, std::optional<T> value) {
  if (value && (!smallest || *value < *smallest)) smallest = value;
}

/// "150000 100000" (microseconds per period) → 1.5; "max 100000" and "-1 100000" → nothing.
std::optional<double> cpus(const std::string& quota_and_period) {
  std::istringstream text(quota_and_period);
  double quota = 0;
  double period = 0;
  if (!(text >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

std::optional<std::uint64_t> limit_in(const fs::path& directory, bool version_2) {
  const auto limit = whole_number(text_of(directory / (version_2 ? "memory.max" : "memory.limit_in_bytes")));
  return limit && *limit < kNoLimit ? limit : std::nullopt;
}

}  // namespace

ControlGroup::ControlGroup(const fs::path& root) : cpu_(find(root, "cpu")), memory_(find(root, "memory")) {}

ControlGroup::Levels ControlGroup::find(const fs::path& root, const char* controller) {
  const auto group = hierarchy(text_of(root / "proc/self/cgroup"), controller);
  if (!group) return {};
  const auto top = mount(text_of(root / "proc/self/mountinfo"), group->version_2, controller);
  if (!top) return {};
  // Without a namespace of its own a container reads its path from the host's root, but sees only its own part of the tree.
  fs::path below = fs::path(group->path).lexically_relative(top->root);
  if (below.empty() || *below.begin() == "..") below = ".";
  Levels levels{.version_2 = group->version_2, .directories = {}};
  const fs::path highest = root / fs::path(top->point).relative_path();
  for (fs::path at = below; at != "." && !at.empty(); at = at.parent_path()) levels.directories.push_back(highest / at);
  levels.directories.push_back(highest);
  return levels;
}

std::optional<double> ControlGroup::cpu_limit() const {
  std::optional<double> smallest;
  for (const fs::path& at : cpu_.directories) {
    keep_smaller(smallest, cpus(cpu_.version_2 ? text_of(at / "cpu.max")
                                               : text_of(at / "cpu.cfs_quota_us") + ' ' + text_of(at / "cpu.cfs_period_us")));
  }
  return smallest;
}

std::optional<std::uint64_t> ControlGroup::memory_limit() const {
  std::optional<std::uint64_t> smallest;
  for (const fs::path& at : memory_.directories) keep_smaller(smallest, limit_in(at, memory_.version_2));
  return smallest;
}

std::optional<std::uint64_t> ControlGroup::memory_left() const {
  std::optional<std::uint64_t> smallest;
  for (const fs::path& at : memory_.directories) {
    const auto limit = limit_in(at, memory_.version_2);
    const auto used = whole_number(text_of(at / (memory_.version_2 ? "memory.current" : "memory.usage_in_bytes")));
    if (!limit || !used) continue;
    const auto cache = counter_field(text_of(at / "memory.stat"), memory_.version_2 ? "inactive_file" : "total_inactive_file").value_or(0);
    const std::uint64_t held = *used - std::min(*used, cache);
    keep_smaller(smallest, std::optional{*limit - std::min(*limit, held)});
  }
  return smallest;
}

std::uint64_t ControlGroup::throttled_periods() const {
  std::uint64_t periods = 0;
  for (const fs::path& at : cpu_.directories) periods += counter_field(text_of(at / "cpu.stat"), "nr_throttled").value_or(0);
  return periods;
}

}  // namespace lapse::host
