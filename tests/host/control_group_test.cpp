#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <lapse/host/control_group.hpp>
#include <string>
#include <string_view>

namespace lapse::host {
namespace {

namespace fs = std::filesystem;

/// A root directory that holds only the files that a test writes.
class ControlGroupTest : public ::testing::Test {
 protected:
  ControlGroupTest() {
    std::string pattern = (fs::temp_directory_path() / "lapse-cgroup-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~ControlGroupTest() override { fs::remove_all(root_); }

  void write(const fs::path& file, std::string_view text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << '\n';
  }
  ControlGroup group() const { return ControlGroup(root_); }

  fs::path root_;
};

constexpr std::string_view kUnifiedMount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";

TEST_F(ControlGroupTest, WithoutFilesThereAreNoLimits) {
  EXPECT_FALSE(group().cpu_limit());
  EXPECT_FALSE(group().memory_limit());
  EXPECT_FALSE(group().memory_left());
  EXPECT_EQ(group().throttled_periods(), 0u);
}

TEST_F(ControlGroupTest, Version2InAContainerWithANamespaceOfItsOwn) {
  write("proc/self/cgroup", "0::/");
  write("proc/self/mountinfo", kUnifiedMount);
  write("sys/fs/cgroup/cpu.max", "150000 100000");
  write("sys/fs/cgroup/cpu.stat", "usage_usec 100\nnr_periods 50\nnr_throttled 7\nthrottled_usec 9");
  write("sys/fs/cgroup/memory.max", "1000000");
  write("sys/fs/cgroup/memory.current", "700000");
  write("sys/fs/cgroup/memory.stat", "anon 100\nfile 300000\ninactive_file 200000\nactive_file 100000");
  EXPECT_EQ(group().cpu_limit(), 1.5);
  EXPECT_EQ(group().memory_limit(), 1000000u);
  EXPECT_EQ(group().memory_left(), 500000u);
  EXPECT_EQ(group().throttled_periods(), 7u);
}

TEST_F(ControlGroupTest, Version2SaysMaxWhereThereIsNoLimit) {
  write("proc/self/cgroup", "0::/");
  write("proc/self/mountinfo", kUnifiedMount);
  write("sys/fs/cgroup/cpu.max", "max 100000");
  write("sys/fs/cgroup/memory.max", "max");
  write("sys/fs/cgroup/memory.current", "700000");
  EXPECT_FALSE(group().cpu_limit());
  EXPECT_FALSE(group().memory_limit());
  EXPECT_FALSE(group().memory_left());
}

TEST_F(ControlGroupTest, TheSmallestLimitOnTheWayUpCounts) {
  write("proc/self/cgroup", "0::/system.slice/lapse.service");
  write("proc/self/mountinfo", kUnifiedMount);
  write("sys/fs/cgroup/system.slice/cpu.max", "50000 100000");
  write("sys/fs/cgroup/system.slice/cpu.stat", "nr_throttled 2");
  write("sys/fs/cgroup/system.slice/memory.max", "4000");
  write("sys/fs/cgroup/system.slice/memory.current", "3900");
  write("sys/fs/cgroup/system.slice/lapse.service/cpu.max", "200000 100000");
  write("sys/fs/cgroup/system.slice/lapse.service/cpu.stat", "nr_throttled 3");
  write("sys/fs/cgroup/system.slice/lapse.service/memory.max", "3000");
  write("sys/fs/cgroup/system.slice/lapse.service/memory.current", "1000");
  EXPECT_EQ(group().cpu_limit(), 0.5);
  EXPECT_EQ(group().memory_limit(), 3000u);
  EXPECT_EQ(group().memory_left(), 100u) << "its own group leaves 2000, the one above only 100";
  EXPECT_EQ(group().throttled_periods(), 5u);
}

TEST_F(ControlGroupTest, Version1HasAHierarchyPerController) {
  write("proc/self/cgroup", "5:memory:/job\n4:cpu,cpuacct:/job\n3:cpuset:/\n1:name=systemd:/");
  write("proc/self/mountinfo",
        "33 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "34 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
  write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "25000");
  write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000");
  write("sys/fs/cgroup/cpu,cpuacct/job/cpu.stat", "nr_periods 50\nnr_throttled 4\nthrottled_time 9");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "4096");
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "2048");
  write("sys/fs/cgroup/memory/job/memory.stat", "inactive_file 1\ntotal_inactive_file 1024");
  EXPECT_EQ(group().cpu_limit(), 0.25);
  EXPECT_EQ(group().memory_limit(), 4096u);
  EXPECT_EQ(group().memory_left(), 3072u);
  EXPECT_EQ(group().throttled_periods(), 4u);
}

TEST_F(ControlGroupTest, Version1SaysAVeryLargeNumberWhereThereIsNoLimit) {
  write("proc/self/cgroup", "5:memory:/");
  write("proc/self/mountinfo", "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000");
  EXPECT_FALSE(group().memory_limit());
  EXPECT_FALSE(group().memory_left());
}

TEST_F(ControlGroupTest, Version1InAContainerThatReadsItsPathFromTheHostsRoot) {
  write("proc/self/cgroup", "5:memory:/docker/abc");
  write("proc/self/mountinfo", "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "4096");
  EXPECT_EQ(group().memory_limit(), 4096u);
}

TEST_F(ControlGroupTest, AGroupOutsideOfTheMountIsReadAtTheMount) {
  write("proc/self/cgroup", "0::/../elsewhere");
  write("proc/self/mountinfo", kUnifiedMount);
  write("sys/fs/cgroup/memory.max", "4096");
  write("sys/fs/elsewhere/memory.max", "1");  // what the path would lead to, taken literally
  EXPECT_EQ(group().memory_limit(), 4096u);
}

TEST_F(ControlGroupTest, OnAHybridSystemAControllerOfVersion1IsReadThere) {
  write("proc/self/cgroup", "4:memory:/job\n0::/job");
  write("proc/self/mountinfo",
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "4096");
  write("sys/fs/cgroup/unified/job/cpu.max", "100000 100000");
  EXPECT_EQ(group().memory_limit(), 4096u);
  EXPECT_EQ(group().cpu_limit(), 1.0);
}

TEST_F(ControlGroupTest, MoreUsedThanAllowedLeavesNothing) {
  write("proc/self/cgroup", "0::/");
  write("proc/self/mountinfo", kUnifiedMount);
  write("sys/fs/cgroup/memory.max", "1000");
  write("sys/fs/cgroup/memory.current", "1200");
  EXPECT_EQ(group().memory_left(), 0u);
}

TEST_F(ControlGroupTest, DamagedFilesCountAsNoLimit) {
  write("proc/self/cgroup", "nonsense\n::\n0::/");
  write("proc/self/mountinfo", std::string("- -\n") + std::string(kUnifiedMount));
  write("sys/fs/cgroup/cpu.max", "many");
  write("sys/fs/cgroup/memory.max", "-5");
  EXPECT_FALSE(group().cpu_limit());
  EXPECT_FALSE(group().memory_limit());
}

}  // namespace
}  // namespace lapse::host
