#include <gtest/gtest.h>

#include <atomic>
#include <lapse/pipeline/bounded_queue.hpp>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace lapse::pipeline {
namespace {

TEST(BoundedQueue, KeepsTheOrder) {
  BoundedQueue<int> queue{3};
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.push(i));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.pop(), i);
}

TEST(BoundedQueue, CarriesWhatCannotBeCopied) {
  BoundedQueue<std::unique_ptr<int>> queue{1};
  ASSERT_TRUE(queue.push(std::make_unique<int>(7)));
  EXPECT_EQ(**queue.pop(), 7);
}

TEST(BoundedQueue, TakesNothingAfterItIsClosedAndGivesBackWhatIsIn) {
  BoundedQueue<int> queue{4};
  ASSERT_TRUE(queue.push(1));
  queue.close();
  EXPECT_FALSE(queue.push(2));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, FreesAWaitingConsumerWhenItIsClosed) {
  BoundedQueue<int> queue{1};
  std::thread consumer{[&] { EXPECT_EQ(queue.pop(), std::nullopt); }};
  queue.close();
  consumer.join();
}

TEST(BoundedQueue, FreesAWaitingProducerWhenItIsClosed) {
  BoundedQueue<int> queue{1};
  ASSERT_TRUE(queue.push(1));
  std::thread producer{[&] { EXPECT_FALSE(queue.push(2)); }};
  queue.close();
  producer.join();
}

TEST(BoundedQueue, NeverHoldsMoreThanItsCapacity) {
  constexpr std::size_t kCapacity = 4;
  constexpr int kItems = 20'000;
  BoundedQueue<int> queue{kCapacity};
  std::atomic<int> outstanding{0}, most{0};
  std::thread producer{[&] {
    for (int i = 0; i < kItems; ++i) {
      ASSERT_TRUE(queue.push(i));
      int now = ++outstanding;
      int seen = most.load();
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
    }
    queue.close();
  }};
  int expected = 0;
  while (const auto item = queue.pop()) {
    --outstanding;
    EXPECT_EQ(*item, expected++);
  }
  producer.join();
  EXPECT_EQ(expected, kItems);
  // One that has left the queue may not be counted out yet.
  EXPECT_LE(most.load(), static_cast<int>(kCapacity) + 1);
}

TEST(BoundedQueue, LosesAndDoublesNothingAmongManyThreads) {
  constexpr int kThreads = 4, kEach = 5'000;
  BoundedQueue<int> queue{8};
  std::vector<std::thread> producers, consumers;
  std::vector<std::atomic<int>> seen(kThreads * kEach);
  for (int t = 0; t < kThreads; ++t) {
    producers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) ASSERT_TRUE(queue.push(t * kEach + i));
    });
    consumers.emplace_back([&] {
      while (const auto item = queue.pop()) ++seen[static_cast<std::size_t>(*item)];
    });
  }
  for (auto& producer : producers) producer.join();
  queue.close();
  for (auto& consumer : consumers) consumer.join();
  for (const auto& count : seen) ASSERT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace lapse::pipeline
