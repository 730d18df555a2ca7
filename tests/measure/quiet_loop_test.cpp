// Between two readings of its clock lapse allocates, locks and writes nothing: shown on the engine null, where all that runs is lapse.

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <lapse/device/host_timeline.hpp>
#include <lapse/measure/loop.hpp>
#include <lapse/measure/model.hpp>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LAPSE_SANITIZED 1  // a sanitizer stands in for malloc and the locks itself
#endif

namespace {
std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> locks{0};
}  // namespace

#ifndef LAPSE_SANITIZED
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
void free(void* memory) {
  if (memory != nullptr) ++allocations;
  __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  using Lock = int (*)(pthread_mutex_t*);
  static const auto real = reinterpret_cast<Lock>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  ++locks;
  return real(mutex);
}
}
#endif

namespace lapse::measuring {
namespace {

// Writes of the whole process so far, by the kernel's own count; read without a library that might allocate.
std::size_t writes() {
  char text[512]{};
  const int file = open("/proc/self/io", O_RDONLY);
  const ssize_t size = file >= 0 ? read(file, text, sizeof(text) - 1) : -1;
  if (file >= 0) close(file);
  const char* found = size > 0 ? std::strstr(text, "syscw: ") : nullptr;
  return found != nullptr ? std::strtoull(found + 7, nullptr, 10) : 0;
}

// Notes at every reading of the clock what happened since the one before.
class WatchedTimeline final : public device::Timeline {
 public:
  device::Instant now() noexcept override {
    const std::size_t seen = allocations + locks;
    if (readings++ > 0) disturbances += seen - last_;
    last_ = seen;
    return clock_.now();
  }
  Result<device::Mark> make_mark() override { return clock_.make_mark(); }
  void* stream(std::size_t) noexcept override { return nullptr; }
  Result<void> record(device::Mark mark, std::size_t stream) override { return clock_.record(mark, stream); }
  Result<void> follow(device::Mark mark, std::size_t stream) override { return clock_.follow(mark, stream); }
  Result<bool> passed(device::Mark mark) override { return clock_.passed(mark); }
  Result<std::size_t> wait_any(std::span<const device::Mark> marks) override { return clock_.wait_any(marks); }
  Result<void> flush_cache(std::size_t stream) override { return clock_.flush_cache(stream); }
  Result<void> wait(device::Mark mark) override { return clock_.wait(mark); }
  Result<void> synchronize() override { return clock_.synchronize(); }
  Result<Duration> elapsed(device::Mark from, device::Mark to) override { return clock_.elapsed(from, to); }

  std::size_t readings = 0, disturbances = 0;

 private:
  device::HostTimeline clock_;
  std::size_t last_ = 0;
};

class QuietLoop : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef LAPSE_SANITIZED
    GTEST_SKIP() << "a sanitizer stands in for malloc and the locks itself";
#endif
    ModelRequest request;
    request.model = "null";
    auto prepared = prepare_model(request);
    ASSERT_TRUE(prepared) << prepared.error().message;
    model_ = std::move(*prepared);
  }

  PreparedModel model_;
};

TEST_F(QuietLoop, AllocatesLocksAndWritesNothingBetweenReadings) {
  WatchedTimeline timeline;
  auto subject = SessionSubject::make(*model_.session, timeline, *model_.inputs, 1);
  ASSERT_TRUE(subject);
  const auto loop = make_loop(*subject, {});
  ASSERT_TRUE(loop);
  std::vector<Sample> samples(10'000);
  const std::size_t writes_before = writes();
  const auto done = (*loop)->run(samples, 0, {device::Instant::max(), nullptr});
  const std::size_t written = writes() - writes_before;
  ASSERT_TRUE(done);
  EXPECT_EQ(*done, samples.size());
  EXPECT_EQ(timeline.readings, 2 * samples.size());
  EXPECT_EQ(timeline.disturbances, 0u);
  EXPECT_EQ(written, 0u);
}

TEST_F(QuietLoop, SeesASubjectThatDoesAllocate) {
  class Allocating final : public Subject {
   public:
    Result<void> submit(std::size_t, std::size_t) override {
      last_size = last_size + 1;
      std::free(std::malloc(last_size));
      return {};
    }
    bool asynchronous() const noexcept override { return false; }
    std::size_t slots() const noexcept override { return 1; }
    device::Timeline& timeline() noexcept override { return watched; }
    WatchedTimeline watched;
    volatile std::size_t last_size = 0;
  } subject;
  const auto loop = make_loop(subject, {});
  std::vector<Sample> samples(10);
  ASSERT_TRUE((*loop)->run(samples, 0, {device::Instant::max(), nullptr}));
  EXPECT_EQ(subject.watched.disturbances, 20u);
}

}  // namespace
}  // namespace lapse::measuring
