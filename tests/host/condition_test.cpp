#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <lapse/host/condition.hpp>
#include <string>
#include <string_view>

namespace lapse::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::Pair;

/// A root directory that holds only the files that a test writes.
class ConditionTest : public ::testing::Test {
 protected:
  ConditionTest() {
    std::string pattern = (fs::temp_directory_path() / "lapse-condition-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~ConditionTest() override { fs::remove_all(root_); }

  void write(const fs::path& file, std::string_view text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << '\n';
  }
  Condition now() const { return condition(root_); }

  fs::path root_;
};

TEST_F(ConditionTest, WithoutFilesNothingIsKnown) {
  const Condition nothing = now();
  EXPECT_EQ(nothing.clock_source, "");
  EXPECT_EQ(nothing.highest_mhz, 0.0);
  EXPECT_FALSE(nothing.turbo);
  EXPECT_FALSE(nothing.throttle_events);
  EXPECT_FALSE(nothing.celsius);
  EXPECT_TRUE(nothing.siblings.empty());
  EXPECT_EQ(nothing.huge_pages, "");
  EXPECT_EQ(nothing.swap_total, 0u);
  EXPECT_FALSE(nothing.random_layout);
}

TEST_F(ConditionTest, TheClockSourceAndThoseThatCouldTakeItsPlace) {
  write("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet");
  write("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm ");
  EXPECT_EQ(now().clock_source, "hpet");
  EXPECT_THAT(now().clock_sources, ElementsAre("tsc", "hpet", "acpi_pm"));
}

TEST_F(ConditionTest, TheRangeOfTheClockIsThatOfTheFirstCpuOnline) {
  write("sys/devices/system/cpu/online", "2-3");
  write("sys/devices/system/cpu/cpu2/cpufreq/scaling_min_freq", "800000");
  write("sys/devices/system/cpu/cpu2/cpufreq/scaling_max_freq", "4500000");
  EXPECT_EQ(now().lowest_mhz, 800.0);
  EXPECT_EQ(now().highest_mhz, 4500.0);
}

TEST_F(ConditionTest, TurboIsToldByEitherDriver) {
  write("sys/devices/system/cpu/cpufreq/boost", "0");
  EXPECT_EQ(now().turbo, false);
  write("sys/devices/system/cpu/intel_pstate/no_turbo", "0");
  EXPECT_EQ(now().turbo, true) << "where both are there, intel_pstate decides";
}

TEST_F(ConditionTest, ThrottlingIsCountedOverAllCpus) {
  write("sys/devices/system/cpu/online", "0-1");
  write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3");
  write("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "4");
  write("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "0");
  EXPECT_EQ(now().throttle_events, 7u);
}

TEST_F(ConditionTest, HeatIsThatOfTheHottestZoneAndTheZoneNearestToItsLimit) {
  write("sys/class/thermal/thermal_zone0/temp", "45000");
  write("sys/class/thermal/thermal_zone0/trip_point_0_type", "critical");
  write("sys/class/thermal/thermal_zone0/trip_point_0_temp", "50000");
  write("sys/class/thermal/thermal_zone0/trip_point_1_type", "passive");
  write("sys/class/thermal/thermal_zone0/trip_point_1_temp", "95000");
  write("sys/class/thermal/thermal_zone1/temp", "-5000");
  write("sys/class/thermal/thermal_zone1/trip_point_0_type", "passive");
  write("sys/class/thermal/thermal_zone1/trip_point_0_temp", "20000");
  EXPECT_EQ(now().celsius, 45.0);
  EXPECT_EQ(now().celsius_left, 25.0);
}

TEST_F(ConditionTest, SiblingsAreTheOtherCpusOfACore) {
  write("sys/devices/system/cpu/online", "0-2");
  write("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,2");
  write("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1");
  write("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "0,2");
  EXPECT_THAT(now().siblings, ElementsAre(Pair(0, ElementsAre(2)), Pair(2, ElementsAre(0))));
}

TEST_F(ConditionTest, MemoryTellsItsHugePagesItsSwapAndItsLayout) {
  write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
  write("proc/meminfo", "MemTotal:  100 kB\nSwapTotal:  8 kB\nSwapFree:  5 kB");
  write("proc/vmstat", "nr_free_pages 9\npswpin 2\npswpout 3");
  write("proc/sys/kernel/randomize_va_space", "2");
  const Condition seen = now();
  EXPECT_EQ(seen.huge_pages, "madvise");
  EXPECT_EQ(seen.swap_total, 8192u);
  EXPECT_EQ(seen.swap_used, 3u * 1024);
  EXPECT_EQ(seen.swapped_pages, 5u);
  EXPECT_EQ(seen.random_layout, true);
}

TEST_F(ConditionTest, DamagedFilesCountAsAbsent) {
  write("sys/devices/system/cpu/online", "all");
  write("sys/devices/system/cpu/cpufreq/boost", "yes");
  write("sys/class/thermal/thermal_zone0/temp", "warm");
  write("sys/kernel/mm/transparent_hugepage/enabled", "always madvise");
  write("proc/meminfo", "SwapTotal:  8 kB\nSwapFree:  9 kB");
  const Condition seen = now();
  EXPECT_FALSE(seen.turbo);
  EXPECT_FALSE(seen.celsius);
  EXPECT_EQ(seen.huge_pages, "");
  EXPECT_EQ(seen.swap_used, 0u) << "more free than there is";
}

}  // namespace
}  // namespace lapse::host
