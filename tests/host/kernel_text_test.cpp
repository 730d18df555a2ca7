#include <gtest/gtest.h>

#include <lapse/host/kernel_text.hpp>

namespace lapse::host {
namespace {

TEST(KernelText, WhatCannotBeReadIsEmpty) {
  EXPECT_EQ(text_of("/proc/no such file"), "");
  EXPECT_EQ(text_of("/proc"), "") << "a directory";
  EXPECT_EQ(text_of("/proc/self/mem"), "") << "opens, but gives an error on reading";
}

TEST(KernelText, AFileIsReadWithoutTheWhiteSpaceAtItsEnd) {
  const std::string kernel = text_of("/proc/sys/kernel/ostype");
  EXPECT_EQ(kernel, "Linux");
}

TEST(KernelText, KilobyteFieldsAreGivenInBytes) {
  constexpr auto kMeminfo = "MemTotal:       16318180 kB\nMemFree:          100 kB\nMemAvailable:        7 kB\nHugePages_Total:       3\n";
  EXPECT_EQ(kilobyte_field(kMeminfo, "MemTotal"), 16318180ull * 1024);
  EXPECT_EQ(kilobyte_field(kMeminfo, "MemAvailable"), 7u * 1024);
  EXPECT_FALSE(kilobyte_field(kMeminfo, "Mem"));
  EXPECT_FALSE(kilobyte_field(kMeminfo, "HugePages_Total")) << "not in kB";
  EXPECT_FALSE(kilobyte_field("", "MemTotal"));
}

TEST(KernelText, CounterFieldsAreFoundByTheirWholeName) {
  constexpr auto kStat = "nr_periods 50\nnr_throttled 7\ninactive_file 3\ntotal_inactive_file 9";
  EXPECT_EQ(counter_field(kStat, "nr_throttled"), 7u);
  EXPECT_EQ(counter_field(kStat, "inactive_file"), 3u);
  EXPECT_EQ(counter_field(kStat, "total_inactive_file"), 9u);
  EXPECT_FALSE(counter_field(kStat, "nr"));
}

TEST(KernelText, AWholeNumberIsNothingElse) {
  EXPECT_EQ(whole_number("18446744073709551615"), 18446744073709551615ull);
  for (const char* text : {"", "max", "-1", "12x", " 1", "18446744073709551616"}) EXPECT_FALSE(whole_number(text)) << text;
}

TEST(KernelText, CpuTicksAreThoseOfAllCpusTogether) {
  const CpuTicks ticks = cpu_ticks("cpu  100 20 30 1000 40 5 6 7 50 2\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 99");
  EXPECT_EQ(ticks.steal, 7u);
  EXPECT_EQ(ticks.busy, 100u + 20 + 30 + 5 + 6 + 7);
  EXPECT_EQ(ticks.total, 100u + 20 + 30 + 5 + 6 + 7 + 1000 + 40) << "guest time (50, 2) is inside user and nice already";
}

TEST(KernelText, CpuTicksOfAnOldOrEmptyFileAreZeroWhereNothingStands) {
  EXPECT_EQ(cpu_ticks("cpu  1 2 3 4").total, 10u);
  EXPECT_EQ(cpu_ticks("cpu  1 2 3 4").steal, 0u);
  EXPECT_EQ(cpu_ticks("").total, 0u);
}

TEST(KernelText, TheCpuIsNamedByModelOrOnArmByItsParts) {
  EXPECT_EQ(cpu_model("processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9B14\n"), "AMD EPYC 9B14");
  EXPECT_EQ(cpu_model("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"), "Arm implementer 0x41 part 0xd0c");
  EXPECT_EQ(cpu_model("processor\t: 0\n"), "");
}

TEST(KernelText, TheSystemIsNamedWithoutQuotes) {
  EXPECT_EQ(os_name("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"), "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(os_name("PRETTY_NAME='Alpine'"), "Alpine");
  EXPECT_EQ(os_name("PRETTY_NAME=plain"), "plain");
  EXPECT_EQ(os_name("PRETTY_NAME=\""), "\"");
  EXPECT_EQ(os_name("NAME=x"), "");
}

TEST(KernelText, AHypervisorIsKnownByItsSignature) {
  EXPECT_EQ(hypervisor_name(std::string_view("KVMKVMKVM\0\0\0", 12)), "kvm");
  EXPECT_EQ(hypervisor_name("Microsoft Hv"), "hyper-v");
  EXPECT_EQ(hypervisor_name("something els"), "unknown");
}

}  // namespace
}  // namespace lapse::host
