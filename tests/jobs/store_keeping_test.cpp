// What every JobStore promises of what it keeps, and for how long: queues, retention, events, webhooks, restarts.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "jobs/store_contract.hpp"

namespace lapse::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreContract, AFullQueueIsBusyByCountAndByBytes) {
  limits_.max_queued_jobs = 2;
  limits_.max_queued_bytes = 1000;
  open();
  submit("ann", "one");
  submit("ann", "two");
  EXPECT_EQ(store_->submit(spec_of("ann", "three")).error().code, ErrorCode::Busy);
  EXPECT_TRUE(store_->submit(spec_of("ann", "two"))) << "what is there already needs no room";
  complete(claim_one());
  submit("ann", "three");
  claim(2);
  JobSpec large = spec_of("ann", "large");
  large.input.blob.size = 950;
  submit(large);
  EXPECT_EQ(store_->submit(spec_of("ann", "four")).error().code, ErrorCode::Busy);
  large.id = "larger";
  large.input.blob.size = 1001;
  EXPECT_EQ(store_->submit(large).error().code, ErrorCode::TooLarge);
  ASSERT_TRUE(store_->cancel("ann", "large"));
  submit("ann", "four");
  submit("ann", "five");
  EXPECT_EQ(store_->retry("ann", "large").error().code, ErrorCode::Busy);
}

TEST_P(StoreContract, DepthsCountWhatIsQueuedAndRunning) {
  submit("ann", "one");
  const Time oldest = clock_.now();
  clock_.forward(1s);
  submit("bob", "two");
  submit(spec_of("bob", "elsewhere", 0, "another model"));
  auto depths = store_->depths().value();
  ASSERT_EQ(depths.size(), 2u);
  EXPECT_EQ(depths[1].model, "model");
  EXPECT_EQ(depths[1].queued, 2u);
  EXPECT_EQ(depths[1].bytes, 200u);
  EXPECT_EQ(depths[1].oldest, oldest);
  claim(1);
  depths = store_->depths().value();
  EXPECT_EQ(depths[1].queued, 1u);
  EXPECT_EQ(depths[1].running, 1u);
  EXPECT_EQ(depths[1].bytes, 100u);
  EXPECT_EQ(depths[1].oldest, oldest + 1s);
  EXPECT_EQ(depths[0].queued, 1u);
}

TEST_P(StoreContract, AQueueThatIsEmptyIsNotCounted) {
  submit("ann", "one");
  complete(claim_one());
  EXPECT_TRUE(store_->depths()->empty());
}

TEST_P(StoreContract, ARemovedJobIsGoneThenUnknownAndItsBlobsAreCounted) {
  submit("ann", "one");
  submit("ann", "two");
  EXPECT_EQ(store_->remove("ann", "one").error().code, ErrorCode::Conflict);
  complete(claim_one());
  const auto removed = store_->remove("ann", "one");
  ASSERT_TRUE(removed);
  EXPECT_THAT(removed->released, ElementsAre(blob_named(2)));
  EXPECT_EQ(removed->shared, 1u);
  EXPECT_TRUE(store_->referenced(blob_named(1)).value());
  EXPECT_FALSE(store_->referenced(blob_named(2)).value());
  EXPECT_EQ(get_error("ann", "one"), ErrorCode::Gone);
  EXPECT_EQ(store_->submit(spec_of("ann", "one")).error().code, ErrorCode::Gone);
  EXPECT_EQ(store_->cancel("ann", "one").error().code, ErrorCode::Gone);
  EXPECT_EQ(store_->retry("ann", "one").error().code, ErrorCode::Gone);
  EXPECT_EQ(store_->remove("ann", "one").error().code, ErrorCode::Gone);
  EXPECT_THAT(event_types("ann"), ElementsAre("queued", "queued", "running", "done", "deleted"));
  clock_.forward(limits_.tombstone);
  EXPECT_EQ(get_error("ann", "one"), ErrorCode::NotFound);
  EXPECT_TRUE(store_->submit(spec_of("ann", "one"))->created) << "even before a sweep";
}

TEST_P(StoreContract, RetentionEndsInATombstoneAndTombstonesEndToo) {
  submit("ann", "one");
  submit("ann", "waits");
  complete(claim_one());
  clock_.forward(limits_.retention - 1s);
  EXPECT_EQ(sweep().forgotten, 0u);
  EXPECT_EQ(state("one"), State::Done);
  clock_.forward(1s);
  const Swept swept = sweep();
  EXPECT_EQ(swept.forgotten, 1u);
  EXPECT_THAT(swept.released, ElementsAre(blob_named(2)));
  EXPECT_EQ(get_error("ann", "one"), ErrorCode::Gone);
  EXPECT_EQ(state("waits"), State::Queued) << "what is queued is never forgotten";
  clock_.forward(limits_.tombstone);
  sweep();
  EXPECT_EQ(get_error("ann", "one"), ErrorCode::NotFound);
}

TEST_P(StoreContract, ASweepDoesNoMoreThanItIsTold) {
  for (int i = 0; i < 10; ++i) {
    JobSpec spec = spec_of("ann", "job" + std::to_string(i));
    spec.deadline = clock_.now() + 1s;
    submit(spec);
  }
  clock_.forward(1s);
  EXPECT_EQ(sweep(4).deadlines, 4u);
  EXPECT_EQ(sweep(4).deadlines, 4u);
  EXPECT_EQ(sweep(4).deadlines, 2u);
  clock_.forward(limits_.retention);
  EXPECT_EQ(sweep(7).forgotten, 7u);
  EXPECT_EQ(sweep(7).forgotten, 3u);
}

TEST_P(StoreContract, ASweepSaysWhetherThereIsMoreAndThoseThatFollowLeaveNothingOld) {
  for (int i = 0; i < 5; ++i) {
    submit("ann", "job" + std::to_string(i));
    complete(claim_one());
  }
  EXPECT_FALSE(sweep(5).more) << "nothing is old yet";
  clock_.forward(limits_.retention);
  int sweeps = 1;
  for (; sweep(5).more; ++sweeps) ASSERT_LT(sweeps, 100);
  EXPECT_EQ(sweeps, 4) << "three events a job, and one look that finds nothing";
  const auto events = store_->events_since("ann", 0, 100).value();
  EXPECT_THAT(events.events, IsEmpty());
}

TEST_P(StoreContract, OldEventsGoAndAClientThatMissedThemCanTell) {
  submit("ann", "one");
  submit("ann", "two");
  clock_.forward(limits_.retention - 1s);
  submit("ann", "three");
  clock_.forward(1s);
  sweep();
  auto found = store_->events_since("ann", 0, 10).value();
  EXPECT_EQ(found.oldest, 3u);
  EXPECT_EQ(found.newest, 3u);
  ASSERT_EQ(found.events.size(), 1u);
  EXPECT_EQ(found.events[0].sequence, 3u);
  clock_.forward(limits_.retention);
  sweep();
  found = store_->events_since("ann", 0, 10).value();
  EXPECT_EQ(found.oldest, 4u);
  EXPECT_EQ(found.newest, 3u);
  submit("ann", "four");
  EXPECT_EQ(store_->events_since("ann", 3, 10)->events.at(0).sequence, 4u) << "numbers are never used again";
}

TEST_P(StoreContract, AnOwnerWhoWasForgottenAndComesBackIsGivenNoNumberTwice) {
  submit("ann", "one");
  complete(claim_one());
  const auto last = store_->events_since("ann", 0, 10)->newest;
  clock_.forward(limits_.retention);
  sweep();
  clock_.forward(limits_.tombstone);
  sweep();
  EXPECT_EQ(store_->events_since("ann", 0, 10)->newest, 0u) << "nothing is left of her";
  submit("ann", "two");
  const auto found = store_->events_since("ann", last, 10).value();
  ASSERT_EQ(found.events.size(), 1u);
  EXPECT_EQ(found.events[0].sequence, last + 1);
  EXPECT_EQ(found.oldest, last + 1);
}

TEST_P(StoreContract, EventsAreReplayedInOrderWithTheirData) {
  submit("ann", "one");
  const Lease lease = claim_one();
  EXPECT_TRUE(store_->progress(lease, {3, 9}).value());
  EXPECT_TRUE(store_->fail(lease, {ErrorCode::BadInput, "bad shape", "another"}, false).value());
  const auto found = store_->events_since("ann", 1, 2).value();
  ASSERT_EQ(found.events.size(), 2u) << "no more than the limit";
  EXPECT_EQ(found.events[0].sequence, 2u);
  EXPECT_EQ(found.oldest, 1u);
  EXPECT_EQ(found.newest, 4u);
  const auto progress = nlohmann::json::parse(found.events[1].data);
  EXPECT_EQ(progress["job"], "one");
  EXPECT_EQ(progress["model"], "model");
  EXPECT_EQ(progress["done"], 3);
  EXPECT_EQ(progress["total"], 9);
  EXPECT_EQ(progress["time"], "2023-11-14T22:13:20.000000000Z");
  const auto failed = nlohmann::json::parse(store_->events_since("ann", 3, 2)->events.at(0).data);
  EXPECT_EQ(failed["error"]["message"], "bad shape");
  EXPECT_EQ(failed["error"]["code"], "bad_input");
  open();
  EXPECT_THAT(event_types("ann", 1), ElementsAre("running", "progress", "failed")) << "across a restart";
}

TEST_P(StoreContract, AFinalStateIsToldToTheWebhookUntilItIsDelivered) {
  JobSpec spec = spec_of("ann", "one");
  spec.webhook = "https://example.org/hook";
  submit(spec);
  submit("ann", "without-a-hook");
  EXPECT_THAT(store_->due_notices(10, 10s).value(), IsEmpty());
  complete(claim_one());
  auto due = store_->due_notices(10, 10s).value();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].url, spec.webhook);
  EXPECT_EQ(due[0].owner, "ann");
  EXPECT_EQ(due[0].job, "one");
  EXPECT_EQ(due[0].attempt, 0);
  const auto body = nlohmann::json::parse(due[0].body);
  EXPECT_EQ(body["event"], "done");
  EXPECT_EQ(body["job"]["id"], "one");
  EXPECT_EQ(body["job"]["state"], "done");
  EXPECT_THAT(store_->due_notices(10, 10s).value(), IsEmpty()) << "claimed";
  clock_.forward(10s);
  due = store_->due_notices(10, 10s).value();
  ASSERT_EQ(due.size(), 1u) << "whoever had it is dead";
  EXPECT_EQ(due[0].attempt, 1);
  ASSERT_TRUE(store_->notice_failed(due[0].number, "refused", clock_.now() + 1min));
  clock_.forward(59s);
  EXPECT_THAT(store_->due_notices(10, 10s).value(), IsEmpty());
  clock_.forward(1s);
  due = store_->due_notices(10, 10s).value();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_FALSE(get("ann", "one").trace.delivered);
  ASSERT_TRUE(store_->notice_delivered(due[0].number));
  EXPECT_EQ(get("ann", "one").trace.delivered, clock_.now());
  ASSERT_TRUE(store_->notice_delivered(due[0].number)) << "it is gone, and nothing is left to do";
  clock_.forward(1h);
  EXPECT_THAT(store_->due_notices(10, 10s).value(), IsEmpty());
}

TEST_P(StoreContract, AfterAStartAWebhookThatWasUnderWayIsDueAndOneThatFailedWaits) {
  for (const char* id : {"under-way", "failed", "failed-and-under-way"}) {
    JobSpec spec = spec_of("ann", id);
    spec.webhook = "https://example.org/hook";
    submit(spec);
    ASSERT_TRUE(store_->cancel("ann", id));
  }
  const auto due = store_->due_notices(10, 1min).value();
  ASSERT_EQ(due.size(), 3u);
  ASSERT_TRUE(store_->notice_failed(due[1].number, "refused", clock_.now() + 30s));
  ASSERT_TRUE(store_->notice_failed(due[2].number, "refused", clock_.now()));
  ASSERT_EQ(store_->due_notices(10, 1min).value().size(), 1u);
  open();
  ASSERT_TRUE(store_->recover());
  const auto again = store_->due_notices(10, 1min).value();
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].job, "under-way");
  EXPECT_EQ(again[1].job, "failed-and-under-way");
}

TEST_P(StoreContract, AWebhookThatIsGivenUpIsNotTriedAgain) {
  JobSpec spec = spec_of("ann", "one");
  spec.webhook = "https://example.org/hook";
  submit(spec);
  ASSERT_TRUE(store_->cancel("ann", "one"));
  const auto due = store_->due_notices(10, 10s).value();
  ASSERT_EQ(due.size(), 1u);
  ASSERT_TRUE(store_->notice_failed(due[0].number, "refused", {}));
  EXPECT_FALSE(get("ann", "one").trace.delivered);
  clock_.forward(24h);
  EXPECT_THAT(store_->due_notices(10, 10s).value(), IsEmpty());
}

TEST_P(StoreContract, OnlyTheFirstDeliveryOfAFinalJobIsMarked) {
  const std::vector<std::string> ids{"one", "never-was"};
  submit("ann", "one");
  ASSERT_TRUE(store_->delivered("ann", ids));
  EXPECT_FALSE(get("ann", "one").trace.delivered) << "there was nothing to deliver";
  complete(claim_one());
  clock_.forward(1s);
  const Time first = clock_.now();
  ASSERT_TRUE(store_->delivered("bob", ids));
  EXPECT_FALSE(get("ann", "one").trace.delivered) << "to somebody else";
  ASSERT_TRUE(store_->delivered("ann", ids));
  clock_.forward(1s);
  ASSERT_TRUE(store_->delivered("ann", ids));
  EXPECT_EQ(get("ann", "one").trace.delivered, first);
}

TEST_P(StoreContract, ARestartKeepsEverythingAndQueuesWhatWasRunning) {
  submit("ann", "done");
  complete(claim_one());
  submit("ann", "running");
  submit("ann", "queued");
  const Lease lease = claim_one();
  open();
  EXPECT_EQ(state("running"), State::Running);
  EXPECT_EQ(store_->recover().value(), 1u);
  EXPECT_EQ(store_->recover().value(), 0u);
  EXPECT_EQ(state("running"), State::Queued);
  EXPECT_EQ(state("done"), State::Done);
  expect_powerless(lease);
  EXPECT_THAT(claim_ids(5), ElementsAre("running", "queued"));
  EXPECT_EQ(get("ann", "running").attempt, 2);
}

TEST_P(StoreContract, ChangesAreToldAfterTheirCommit) {
  std::vector<JobStore::Changes> told;
  std::mutex mutex;
  open();
  store_->on_change([&](const JobStore::Changes& changes) {
    const std::lock_guard lock{mutex};
    told.push_back(changes);
  });
  JobSpec spec = spec_of("ann", "one");
  spec.webhook = "https://example.org/hook";
  submit(spec);
  ASSERT_TRUE(store_->cancel("ann", "one"));
  ASSERT_FALSE(store_->cancel("ann", "none"));
  submit("ann", "two");
  submit("ann", "three");
  claim(2);
  ASSERT_EQ(store_->recover().value(), 2u);
  store_.reset();  // its thread has ended
  ASSERT_EQ(told.size(), 6u);
  EXPECT_THAT(told[0].owners, ElementsAre("ann"));
  EXPECT_THAT(told[0].models, ElementsAre("model"));
  EXPECT_FALSE(told[0].notices);
  EXPECT_THAT(told[1].models, IsEmpty());
  EXPECT_TRUE(told[1].notices);
  EXPECT_THAT(told[5].owners, ElementsAre("ann"));
  EXPECT_THAT(told[5].models, ElementsAre("model", "model")) << "one for each job that was queued";
}

TEST_P(StoreContract, EveryEndIsToldOnceAsItStandsInTheJob) {
  std::vector<std::string> told;
  limits_.max_attempts = 2;
  open();
  store_->on_change([&](const JobStore::Changes& changes) {
    for (const Job& job : changes.ended) {
      told.push_back(fmt::format("{} {} {}", job.spec.id, name(job.state), job.error ? job.error->message : ""));
      if (job.state == State::Done) {
        EXPECT_EQ(job.trace.stored, clock_.now());
      }
    }
    for (const Job& job : changes.delivered) told.push_back(job.spec.id + (job.trace.delivered ? " delivered" : ""));
  });
  submit("ann", "done");
  complete(claim_one());
  const std::vector<std::string> ids{"done"};
  ASSERT_TRUE(store_->delivered("ann", ids));
  ASSERT_TRUE(store_->delivered("ann", ids));
  submit("ann", "fails");
  EXPECT_TRUE(store_->fail(claim_one(), {ErrorCode::OutOfMemory, "no memory", ""}, true).value());
  EXPECT_TRUE(store_->fail(claim_one(), {ErrorCode::OutOfMemory, "no memory again", ""}, true).value());
  submit("ann", "released");
  EXPECT_TRUE(store_->release(claim_one()).value());
  ASSERT_TRUE(store_->cancel("ann", "released"));
  JobSpec late = spec_of("ann", "late");
  late.deadline = clock_.now() + 1s;
  submit(late);
  clock_.forward(1s);
  sweep();
  store_.reset();  // its thread has ended
  EXPECT_THAT(told, ElementsAre("done done ", "done delivered", "fails queued no memory", "fails failed no memory again",
                                "released cancelled ", "late expired "));
}

}  // namespace
}  // namespace lapse::jobs
