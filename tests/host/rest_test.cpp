#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <lapse/host/rest.hpp>
#include <thread>

namespace lapse::host {
namespace {

using namespace std::chrono_literals;

TEST(Rest, AProcessThatDoesNothingIsAtRest) { EXPECT_TRUE(come_to_rest(10s)); }

/// Several threads, so that on a busy machine one of them at least gets a CPU at any time.
class Spinning {
 public:
  explicit Spinning(Duration time) : end_(std::chrono::steady_clock::now() + time) {
    for (std::thread& thread : threads_) {
      thread = std::thread([this] {
        while (std::chrono::steady_clock::now() < end_) {
        }
      });
    }
  }
  ~Spinning() {
    for (std::thread& thread : threads_) thread.join();
  }
  bool over() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  const std::chrono::steady_clock::time_point end_;
  std::array<std::thread, 8> threads_;
};

TEST(Rest, ThreadsThatSpinForAWhileAreWaitedFor) {
  const Spinning spinning(100ms);
  EXPECT_TRUE(come_to_rest(30s));
  EXPECT_TRUE(spinning.over());
}

TEST(Rest, ThoseThatDoNotStopAreNotWaitedForForEver) {
  const Spinning spinning(2s);
  EXPECT_FALSE(come_to_rest(50ms));
  EXPECT_FALSE(spinning.over());
}

}  // namespace
}  // namespace lapse::host
