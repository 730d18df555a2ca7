#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/host/affinity.hpp>
#include <thread>

namespace lapse::host {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CpuList, ReadsNumbersAndRanges) {
  EXPECT_THAT(*parse_cpu_list("0"), ElementsAre(0));
  EXPECT_THAT(*parse_cpu_list("0,2"), ElementsAre(0, 2));
  EXPECT_THAT(*parse_cpu_list("0-3,6"), ElementsAre(0, 1, 2, 3, 6));
}

TEST(CpuList, IsAscendingAndWithoutRepeats) { EXPECT_THAT(*parse_cpu_list("5,1-3,2"), ElementsAre(1, 2, 3, 5)); }

TEST(CpuList, RefusesWhatIsNotAList) {
  for (const char* text : {"", ",", "0,", ",0", "a", "-1", "3-1", "1-", "0 1", "0-1-2", "1.5", "8192", "0-99999999999", "0x1"}) {
    const auto cpus = parse_cpu_list(text);
    ASSERT_FALSE(cpus.has_value()) << text;
    EXPECT_EQ(cpus.error().code, ErrorCode::BadInput) << text;
    EXPECT_FALSE(cpus.error().hint.empty()) << text;
  }
}

TEST(CpuList, IsWrittenAsItIsRead) {
  for (const char* text : {"", "0", "0-3,6", "0,2,4", "1-2"}) {
    const std::vector<int> cpus = *text == '\0' ? std::vector<int>{} : *parse_cpu_list(text);
    EXPECT_EQ(to_string(cpus), text);
  }
}

TEST(Affinity, ThisProcessMayRunSomewhereAndPartOfItIsUsable) {
  const auto allowed = allowed_cpus();
  ASSERT_FALSE(allowed.empty());
  EXPECT_GE(usable_cpus(), 1);
  EXPECT_LE(usable_cpus(), static_cast<int>(allowed.size()));
}

TEST(Affinity, PinningBindsTheThreadAndTheThreadsThatItStarts) {
  // In a thread of its own, so that the other tests keep every CPU.
  std::thread([] {
    const int last = allowed_cpus().back();
    ASSERT_TRUE(pin({last}).has_value());
    EXPECT_THAT(allowed_cpus(), ElementsAre(last));
    EXPECT_EQ(usable_cpus(), 1);
    std::thread([last] { EXPECT_THAT(allowed_cpus(), ElementsAre(last)); }).join();
  }).join();
}

TEST(Affinity, PinningToACpuThatIsNotThereNamesThoseThatAre) {
  const auto allowed = allowed_cpus();
  const auto pinned = pin({allowed.front(), 8191});
  ASSERT_FALSE(pinned.has_value());
  EXPECT_EQ(pinned.error().code, ErrorCode::BadInput);
  EXPECT_THAT(pinned.error().message, HasSubstr("8191"));
  EXPECT_THAT(pinned.error().hint, HasSubstr(to_string(allowed)));
  EXPECT_EQ(allowed_cpus(), allowed) << "nothing may have changed";
}

TEST(Affinity, PinningToNothingIsRefused) { EXPECT_FALSE(pin({}).has_value()); }

}  // namespace
}  // namespace lapse::host
