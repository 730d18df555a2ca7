// When a dispatch goes, and who is in it, in virtual time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/serve/dispatch/scheduler.hpp>

namespace lapse::serve {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Scheduler::Time kStart{std::chrono::hours{1}};

Scheduler::Direct request(std::uint64_t id, milliseconds arrived = {}, int priority = 0, std::string owner = "a") {
  return {id, priority, std::move(owner), kStart + arrived, {}};
}

TEST(Scheduler, HasNothingToDoWhenNothingIsThere) {
  Scheduler scheduler{{4, milliseconds{10}, 10}};
  const auto decision = scheduler.decide(kStart, 1, true);
  EXPECT_FALSE(decision.go());
  EXPECT_FALSE(decision.wake);
}

TEST(Scheduler, SendsALoneRequestAtOnceWhereNobodyMayWait) {
  Scheduler scheduler{{1, milliseconds{0}, 10}};
  ASSERT_TRUE(scheduler.add(request(1)));
  EXPECT_THAT(scheduler.decide(kStart, 1, true).direct, ElementsAre(1));
  EXPECT_EQ(scheduler.waiting(), 0U);
}

TEST(Scheduler, LetsALoneRequestWaitForCompanyExactlyAsLongAsItMay) {
  Scheduler scheduler{{4, milliseconds{10}, 10}};
  ASSERT_TRUE(scheduler.add(request(1)));
  const auto early = scheduler.decide(kStart + milliseconds{9}, 1, true);
  EXPECT_FALSE(early.go());
  EXPECT_EQ(early.wake, kStart + milliseconds{10});
  EXPECT_THAT(scheduler.decide(kStart + milliseconds{10}, 1, true).direct, ElementsAre(1));
}

TEST(Scheduler, SendsAFullBatchAtOnce) {
  Scheduler scheduler{{3, milliseconds{10}, 10}};
  for (std::uint64_t id = 1; id <= 4; ++id) ASSERT_TRUE(scheduler.add(request(id)));
  EXPECT_THAT(scheduler.decide(kStart, 1, true).direct, ElementsAre(1, 2, 3));
  EXPECT_FALSE(scheduler.decide(kStart, 1, true).go()) << "the fourth may wait";
}

TEST(Scheduler, LetsABatchThatIsNotFullGrowWhileTheWorkerIsBusy) {
  Scheduler scheduler{{3, milliseconds{0}, 10}};
  ASSERT_TRUE(scheduler.add(request(1)));
  ASSERT_TRUE(scheduler.add(request(2)));
  const auto busy = scheduler.decide(kStart + milliseconds{5}, 1, false);
  EXPECT_FALSE(busy.go());
  EXPECT_FALSE(busy.wake) << "until something happens";
  ASSERT_TRUE(scheduler.add(request(3)));
  EXPECT_THAT(scheduler.decide(kStart + milliseconds{5}, 1, false).direct, ElementsAre(1, 2, 3)) << "full: it is there when the pass ends";
  ASSERT_TRUE(scheduler.add(request(4)));
  EXPECT_THAT(scheduler.decide(kStart + milliseconds{5}, 1, true).direct, ElementsAre(4));
}

TEST(Scheduler, ABusyWorkersRequestsStillExpire) {
  Scheduler scheduler{{8, milliseconds{0}, 10}};
  auto hasty = request(1);
  hasty.expires = kStart + milliseconds{3};
  ASSERT_TRUE(scheduler.add(hasty));
  EXPECT_EQ(scheduler.decide(kStart, 1, false).wake, kStart + milliseconds{3});
}

TEST(Scheduler, RowsFillABatchAndNotRequests) {
  Scheduler scheduler{{8, milliseconds{10}, 10}};
  auto large = request(1);
  large.rows = 6;
  ASSERT_TRUE(scheduler.add(large));
  EXPECT_FALSE(scheduler.decide(kStart, 1, true).go()) << "two more fit";
  auto three = request(2);
  three.rows = 3;
  ASSERT_TRUE(scheduler.add(three));
  ASSERT_TRUE(scheduler.add(request(3)));
  EXPECT_THAT(scheduler.decide(kStart, 1, true).direct, ElementsAre(1))
      << "full; the second doesn't fit, and the third doesn't overtake it";
  auto huge = request(4);
  huge.rows = 50;
  ASSERT_TRUE(scheduler.add(huge));
  EXPECT_THAT(scheduler.decide(kStart, 1, true).direct, ElementsAre(2, 3));
  EXPECT_THAT(scheduler.decide(kStart, 1, true).direct, ElementsAre(4)) << "alone, as it fits nowhere";
  EXPECT_EQ(scheduler.waiting(), 0U);
}

TEST(Scheduler, ADispatchIsNoMoreBytesThanAWorkerTakes) {
  Scheduler scheduler{{8, milliseconds{0}, 10, 100}};
  for (const auto& [id, bytes] : {std::pair{1, 60}, {2, 40}, {3, 1}, {4, 1000}, {5, 99}}) {
    auto one = request(static_cast<std::uint64_t>(id));
    one.bytes = static_cast<std::uint64_t>(bytes);
    ASSERT_TRUE(scheduler.add(one));
  }
  EXPECT_THAT(scheduler.decide(kStart, 8, true).direct, ElementsAre(1, 2));
  EXPECT_THAT(scheduler.decide(kStart, 8, true).direct, ElementsAre(3));
  EXPECT_THAT(scheduler.decide(kStart, 8, true).direct, ElementsAre(4)) << "alone, whatever becomes of it";
  EXPECT_THAT(scheduler.decide(kStart, 8, true).direct, ElementsAre(5));
}

TEST(Scheduler, FillsABatchWithJobs) {
  Scheduler scheduler{{4, milliseconds{10}, 10}};
  ASSERT_TRUE(scheduler.add(request(1)));
  scheduler.jobs_came(3, kStart);
  const auto decision = scheduler.decide(kStart, 1, true);
  EXPECT_THAT(decision.direct, ElementsAre(1));
  EXPECT_EQ(decision.jobs, 3U);
  EXPECT_EQ(scheduler.jobs(), 0U);
}

TEST(Scheduler, AsksForMoreJobsThanItKnowsOf) {
  Scheduler scheduler{{4, milliseconds{0}, 10}};
  scheduler.jobs(1, kStart);
  EXPECT_EQ(scheduler.decide(kStart, 8, true).jobs, 8U);
}

TEST(Scheduler, TheOldestMemberSaysWhenJobOrRequest) {
  Scheduler scheduler{{4, milliseconds{10}, 10}};
  scheduler.jobs_came(1, kStart);
  ASSERT_TRUE(scheduler.add(request(1, milliseconds{5})));
  EXPECT_EQ(scheduler.decide(kStart + milliseconds{6}, 1, true).wake, kStart + milliseconds{10});
}

TEST(Scheduler, WakesForATimeoutBeforeTheDelay) {
  Scheduler scheduler{{4, milliseconds{10}, 10}};
  auto hasty = request(1);
  hasty.expires = kStart + milliseconds{3};
  ASSERT_TRUE(scheduler.add(hasty));
  EXPECT_EQ(scheduler.decide(kStart, 1, true).wake, kStart + milliseconds{3});
  EXPECT_THAT(scheduler.expire(kStart + milliseconds{2}), IsEmpty());
  EXPECT_THAT(scheduler.expire(kStart + milliseconds{3}), ElementsAre(1));
  EXPECT_FALSE(scheduler.decide(kStart + milliseconds{10}, 1, true).go());
}

TEST(Scheduler, TakesHigherPrioritiesFirst) {
  Scheduler scheduler{{1, {}, 10}};
  ASSERT_TRUE(scheduler.add(request(1, {}, 0)));
  ASSERT_TRUE(scheduler.add(request(2, {}, 5)));
  ASSERT_TRUE(scheduler.add(request(3, {}, -5)));
  EXPECT_THAT(scheduler.decide(kStart, 3, true).direct, ElementsAre(2, 1, 3));
}

TEST(Scheduler, ServesOwnersInTurn) {
  Scheduler scheduler{{1, {}, 10}};
  for (std::uint64_t id = 1; id <= 3; ++id) ASSERT_TRUE(scheduler.add(request(id, {}, 0, "greedy")));
  ASSERT_TRUE(scheduler.add(request(4, {}, 0, "modest")));
  EXPECT_THAT(scheduler.decide(kStart, 4, true).direct, ElementsAre(1, 4, 2, 3));
}

TEST(Scheduler, NeitherRequestsNorJobsStarve) {
  Scheduler scheduler{{1, {}, 100}};
  scheduler.jobs(100, kStart);
  for (std::uint64_t id = 0; id < 20; ++id) ASSERT_TRUE(scheduler.add(request(id)));
  int jobs = 0, direct = 0;
  for (int i = 0; i < 16; ++i) {
    const auto decision = scheduler.decide(kStart, 1, true);
    EXPECT_EQ(decision.jobs + decision.direct.size(), 1U);
    jobs += static_cast<int>(decision.jobs);
    direct += static_cast<int>(decision.direct.size());
  }
  EXPECT_EQ(jobs, 4);
  EXPECT_EQ(direct, 12);
}

TEST(Scheduler, HoldsToItsBound) {
  Scheduler scheduler{{1, {}, 2}};
  EXPECT_TRUE(scheduler.add(request(1)));
  EXPECT_TRUE(scheduler.add(request(2)));
  EXPECT_FALSE(scheduler.add(request(3)));
  EXPECT_TRUE(scheduler.remove(1));
  EXPECT_FALSE(scheduler.remove(1));
  EXPECT_TRUE(scheduler.add(request(3)));
}

TEST(Scheduler, SendsWhatMayBePoisonAloneAndAtOnce) {
  Scheduler scheduler{{8, milliseconds{1000}, 10}};
  EXPECT_FALSE(scheduler.decide_alone(kStart).go());
  scheduler.jobs_came(2, kStart);
  ASSERT_TRUE(scheduler.add(request(1)));
  const auto first = scheduler.decide_alone(kStart);
  EXPECT_THAT(first.direct, ElementsAre(1));
  EXPECT_EQ(first.jobs, 0U);
  EXPECT_EQ(scheduler.decide_alone(kStart).jobs, 1U);
  EXPECT_EQ(scheduler.jobs(), 1U);
}

TEST(Scheduler, DoesNotForgetJobsThatCameWhileAClaimWasUnderWay) {
  Scheduler scheduler{{1, {}, 2}};
  scheduler.jobs_came(1, kStart);
  EXPECT_EQ(scheduler.decide(kStart, 4, true).jobs, 4U);
  scheduler.jobs_came(2, kStart);
  scheduler.jobs_ran_out(kStart);  // the claim found one
  EXPECT_EQ(scheduler.jobs(), 2U);
}

}  // namespace
}  // namespace lapse::serve
