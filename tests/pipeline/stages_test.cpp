#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <lapse/host/memory.hpp>
#include <lapse/pipeline/stages.hpp>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

namespace lapse::pipeline {
namespace {

using namespace std::chrono_literals;

/// Counts how many of it there are, in all and at the most.
struct Count {
  std::atomic<int> now{0}, most{0};
};
class Piece {
 public:
  Piece(int number, Count& count) : number_(number), count_(&count), bytes_(1024) {
    const int now = ++count_->now;
    for (int most = count_->most; most < now && !count_->most.compare_exchange_weak(most, now);) {
    }
  }
  ~Piece() { --count_->now; }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  int number() const { return number_; }

 private:
  int number_;
  Count* count_;
  std::vector<char> bytes_;
};
using Item = std::unique_ptr<Piece>;

/// 0, 1, … up to `count` - 1.
auto numbers(int count, Count& pieces) {
  return [next = std::make_shared<std::atomic<int>>(0), count, &pieces]() -> Result<std::optional<Item>> {
    const int number = (*next)++;
    if (number >= count) return std::nullopt;
    return std::make_unique<Piece>(number, pieces);
  };
}

Result<void> pass(Item&) { return {}; }

TEST(Stages, EachItemPassesEveryStageInTheOrderOfTheSource) {
  Count pieces;
  std::vector<int> first, last;
  const Stage<Item> one{.work = [&](Item& item) -> Result<void> { return first.push_back(item->number()), Result<void>{}; }};
  const Stage<Item> two{.work = [&](Item& item) -> Result<void> { return last.push_back(item->number()), Result<void>{}; }};
  ASSERT_TRUE(Stages<Item>::run(numbers(100, pieces), {one, two}, {}));
  ASSERT_EQ(last.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(last[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(first, last);
  EXPECT_EQ(pieces.now, 0);
}

TEST(Stages, TheStageThatIsToBeHereRunsOnTheCallersThread) {
  Count pieces;
  std::set<std::thread::id> here, there;
  const Stage<Item> one{.work = [&](Item&) -> Result<void> { return here.insert(std::this_thread::get_id()), Result<void>{}; },
                        .here = true};
  const Stage<Item> two{.work = [&](Item&) -> Result<void> { return there.insert(std::this_thread::get_id()), Result<void>{}; }};
  ASSERT_TRUE(Stages<Item>::run(numbers(10, pieces), {one, two}, {}));
  EXPECT_EQ(here, std::set{std::this_thread::get_id()});
  EXPECT_EQ(there.count(std::this_thread::get_id()), 0u);
}

TEST(Stages, SeveralThreadsOfASourceAndAStageTakeEachItemOnce) {
  Count pieces;
  std::mutex mutex;
  std::multiset<int> seen;
  const Stage<Item> stage{.work = [&](Item& item) -> Result<void> {
                            const std::lock_guard lock{mutex};
                            seen.insert(item->number());
                            return {};
                          },
                          .threads = 3};
  ASSERT_TRUE(Stages<Item>::run(numbers(1000, pieces), {stage, {.work = pass, .here = true}}, {.source_threads = 3}));
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), 1000u);
}

class Depth : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Depth, MemoryDoesNotGrowWithTheNumberOfItems) {
  constexpr int kItems = 100'000;
  Count pieces;
  int done = 0;
  std::uint64_t resident = 0, most = 0;
  const Stage<Item> last{.work = [&](Item&) -> Result<void> {
    if (++done == kItems / 10) resident = host::resident();
    if (done % 10'000 == 0) most = std::max(most, host::resident());
    return {};
  }};
  ASSERT_TRUE(Stages<Item>::run(numbers(kItems, pieces), {{.work = pass, .here = true}, last}, {.depth = GetParam()}));
  EXPECT_EQ(done, kItems);
  // What waits in two queues, and what the source and the two stages have in hand.
  EXPECT_LE(pieces.most, static_cast<int>(2 * GetParam() + 3));
#ifndef __SANITIZE_ADDRESS__  // which keeps what was freed
  EXPECT_LE(most, resident + (std::uint64_t{1} << 20));
#endif
}

INSTANTIATE_TEST_SUITE_P(Queues, Depth, ::testing::Values(1, 2, 4, 8));

TEST(Stages, AnErrorEndsThemAllAndIsTheFirstOne) {
  for (const std::size_t failing : {0u, 1u, 2u}) {
    Count pieces;
    const auto work = [&](std::size_t stage) {
      return [failing, stage](Item& item) -> Result<void> {
        if (stage != failing || item->number() != 50) return {};
        std::this_thread::sleep_for(5ms);  // meanwhile the queues before it fill, and those behind it are waited for
        return fail(ErrorCode::BadInput, "number 50");
      };
    };
    std::atomic<int> told{0};
    const RunOptions options{.depth = 1, .failed = [&](const Error& error) { told += error.message == "number 50" ? 1 : 100; }};
    const auto outcome =
        Stages<Item>::run(numbers(1'000'000, pieces), {{.work = work(0)}, {.work = work(1), .here = true}, {.work = work(2)}}, options);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "number 50");
    EXPECT_EQ(told, 1);
    EXPECT_EQ(pieces.now, 0);
  }
}

TEST(Stages, WhatASourceOrAStageThrowsIsAnError) {
  Count pieces;
  const Stage<Item> throwing{.work = [](Item& item) -> Result<void> {
    if (item->number() == 7) throw std::runtime_error("seven");
    return {};
  }};
  const auto outcome = Stages<Item>::run(numbers(1'000'000, pieces), {throwing, {.work = pass}}, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Internal);
  EXPECT_NE(outcome.error().message.find("seven"), std::string::npos);
  const auto none = Stages<Item>::run([]() -> Result<std::optional<Item>> { throw std::bad_alloc(); }, {{.work = pass}}, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::OutOfMemory);
}

// A device that is done with an item when it is asked the third time.
TEST(Stages, OfAStageThatOnlyHandsOverSeveralAreInFlightAndComeOutInOrder) {
  Count pieces;
  std::map<int, int> asked;
  std::vector<int> out;
  std::size_t flying = 0, most = 0;
  const Stage<Item> device{.work = [&](Item&) -> Result<void> {
                             most = std::max(most, ++flying);
                             return {};
                           },
                           .here = true,
                           .done = [&](Item& item) -> Result<bool> {
                             if (++asked[item->number()] < 3) return false;
                             --flying;
                             return true;
                           },
                           .in_flight = 3};
  const Stage<Item> last{.work = [&](Item& item) -> Result<void> { return out.push_back(item->number()), Result<void>{}; }};
  ASSERT_TRUE(Stages<Item>::run(numbers(50, pieces), {device, last}, {.depth = 4}));
  EXPECT_EQ(most, 3u);
  ASSERT_EQ(out.size(), 50u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(out[static_cast<std::size_t>(i)], i);
}

TEST(Stages, ADeviceThatIsLostEndsThem) {
  Count pieces;
  const Stage<Item> device{
      .work = pass, .here = true, .done = [](Item&) -> Result<bool> { return fail(ErrorCode::DeviceUnusable, "lost"); }};
  const auto outcome = Stages<Item>::run(numbers(1'000'000, pieces), {device, {.work = pass}}, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::DeviceUnusable);
  EXPECT_EQ(pieces.now, 0);
}

}  // namespace
}  // namespace lapse::pipeline
