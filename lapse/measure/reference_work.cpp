#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <lapse/device/host_timeline.hpp>
#include <lapse/measure/reference_work.hpp>
#include <span>
#include <vector>

namespace lapse::measuring {
namespace {

volatile std::uint64_t result;  // what is never looked at would not be computed

class HostWork : public Subject {
 public:
  Result<void> submit(std::size_t /*slot*/, std::size_t /*iteration*/) final {
    result = work();
    return {};
  }
  bool asynchronous() const noexcept final { return false; }
  std::size_t slots() const noexcept final { return 1; }
  device::Timeline& timeline() noexcept final { return timeline_; }

 private:
  virtual std::uint64_t work() = 0;
  device::HostTimeline timeline_;
};

class Arithmetic final : public HostWork {
  static constexpr std::size_t kSize = 192;  // three matrices take 432 KiB
  static constexpr int kProducts = 16;

  std::uint64_t work() override {
    for (int product = 0; product < kProducts; ++product) {
      std::ranges::fill(product_, 0.0f);
      for (std::size_t row = 0; row < kSize; ++row) {
        for (std::size_t inner = 0; inner < kSize; ++inner) {
          const float factor = left_[row * kSize + inner];
          for (std::size_t column = 0; column < kSize; ++column) {
            product_[row * kSize + column] += factor * right_[inner * kSize + column];
          }
        }
      }
      left_[0] = 1.0f + 1e-9f * product_[0];  // each product waits for the one before
    }
    return static_cast<std::uint64_t>(product_[kSize]);
  }

  std::vector<float> left_ = std::vector<float>(kSize * kSize, 1.0f);
  std::vector<float> right_ = std::vector<float>(kSize * kSize, 0.5f);
  std::vector<float> product_ = std::vector<float>(kSize * kSize);
};

/// Pages of its own from the kernel: a heap would give the same ones to each instance.
class Table {
 public:
  static Result<Table> make(std::size_t bytes, HugePages pages) {
    void* const place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) return fail(ErrorCode::OutOfMemory, fmt::format("there are no {} MiB of memory", bytes >> 20));
    if (pages != HugePages::AsItIs) madvise(place, bytes, pages == HugePages::Yes ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    const std::span words(static_cast<std::uint32_t*>(place), bytes / sizeof(std::uint32_t));
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = static_cast<std::uint32_t>(i);
    return Table(words);
  }
  Table(Table&& other) noexcept : words_(std::exchange(other.words_, {})) {}
  Table& operator=(Table&&) = delete;
  ~Table() {
    if (!words_.empty()) munmap(words_.data(), words_.size_bytes());
  }

  std::uint32_t operator[](std::size_t index) const { return words_[index]; }
  std::size_t size() const { return words_.size(); }

 private:
  explicit Table(std::span<std::uint32_t> words) : words_(words) {}
  std::span<std::uint32_t> words_;
};

// Knuth's MMIX generator (The Art of Computer Programming 2, 3.3.4).
constexpr std::uint64_t step(std::uint64_t state) { return state * 6364136223846793005u + 1442695040888963407u; }

class Gather final : public HostWork {
 public:
  explicit Gather(Table table) : table_(std::move(table)) {}

 private:
  static constexpr int kReads = 600'000;

  std::uint64_t work() override {
    std::uint64_t place = 1, sum = 0;
    for (int i = 0; i < kReads; ++i) {
      place = step(place);
      sum += table_[(place >> 32) % table_.size()];
    }
    return sum;
  }

  Table table_;
};

}  // namespace

std::unique_ptr<Subject> make_arithmetic() { return std::make_unique<Arithmetic>(); }

std::size_t table_bytes() {
  constexpr std::size_t kLeast = std::size_t{64} << 20, kMost = std::size_t{128} << 20;
  const auto cache = static_cast<std::size_t>(std::max(0L, sysconf(_SC_LEVEL3_CACHE_SIZE)));
  std::size_t bytes = kLeast;
  while (bytes < kMost && bytes < 2 * cache) bytes *= 2;
  return bytes;
}

Result<std::unique_ptr<Subject>> make_gather(HugePages pages) {
  LAPSE_TRY(Table table, Table::make(table_bytes(), pages));
  return std::make_unique<Gather>(std::move(table));
}

Duration time_spin(device::Timeline& timeline) {
  constexpr int kSteps = 400'000;  // a multiplication takes three or four cycles
  std::uint64_t state = result | 1;
  const device::Instant begin = timeline.now();
  for (int i = 0; i < kSteps; ++i) state = step(state);
  result = state;
  return timeline.now() - begin;
}

}  // namespace lapse::measuring
