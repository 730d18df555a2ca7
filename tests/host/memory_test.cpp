#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <lapse/host/memory.hpp>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

namespace lapse::host {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 20;

/// Private memory, touched, so that it is resident; given back to the kernel when it goes.
class Block {
 public:
  Block() : data_(mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) { std::memset(data_, 1, kBlock); }
  ~Block() { munmap(data_, kBlock); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

 private:
  void* data_;
};

TEST(Memory, ResidentGrowsWithWhatIsTouched) {
  const auto before = resident();
  ASSERT_GT(before, 0u);
  const Block block;
  EXPECT_GE(resident(), before + kBlock * 9 / 10);
}

TEST(Memory, ThePeakStaysAfterTheMemoryWentAndCanBeStartedAnew) {
  { const Block block; }
  const auto peak = peak_resident();
  EXPECT_GE(peak, resident() + kBlock * 9 / 10);
  if (!reset_peak()) GTEST_SKIP() << "the kernel does not allow to reset the peak here";
  EXPECT_LE(peak_resident(), peak - kBlock * 8 / 10);
}

TEST(Memory, SomethingIsAvailable) {
  const auto bytes = available();
  if (!bytes) GTEST_SKIP() << "neither MemAvailable nor a limit is visible here";
  EXPECT_GT(*bytes, 0u);
}

TEST(Memory, WithTheLimitAnAllocationBeyondWhatIsAvailableFailsAndASmallOneDoesNot) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reserves address space of its own";
  const auto bytes = available();
  if (!bytes) GTEST_SKIP() << "what is available is not known here";
  const auto taken = [](std::size_t size) {
    return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED;
  };
  const pid_t child = fork();  // the limit must not stay with the other tests
  if (child == 0) {
    limit_to_available();
    const bool small = taken(kBlock / 64);
    const bool huge = taken(2 * *bytes);
    _exit(small && !huge ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace lapse::host
