// What every JobStore promises of attempts: leases and fences, failing, cancelling, deadlines, retrying.

#include "jobs/store_contract.hpp"

namespace lapse::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreContract, ACompletedJobHasItsResultItsTraceAndItsEvents) {
  submit("ann", "one");
  clock_.forward(1s);
  const Lease lease = claim_one();
  EXPECT_EQ(state("one"), State::Running);
  clock_.forward(1s);
  EXPECT_TRUE(store_->progress(lease, {1, 4}).value());
  EXPECT_EQ(get("ann", "one").progress.done, 1u);
  EXPECT_TRUE(complete(lease));
  const Job job = get("ann", "one");
  EXPECT_EQ(job.state, State::Done);
  ASSERT_TRUE(job.result);
  EXPECT_EQ(job.result->blob.id, blob_named(2));
  EXPECT_EQ(job.result->blob.size, 200u);
  EXPECT_EQ(job.result->header_length, 7u);
  EXPECT_EQ(job.trace.claimed, job.trace.accepted + 1s);
  EXPECT_EQ(job.trace.stored, job.trace.accepted + 2s);
  EXPECT_EQ(job.trace.forward, Duration{5ms});
  EXPECT_EQ(job.trace.batch_size, 3u);
  EXPECT_EQ(job.finished, clock_.now());
  EXPECT_EQ(job.expires, clock_.now() + limits_.retention);
  EXPECT_THAT(event_types("ann"), ElementsAre("queued", "running", "progress", "done"));
  expect_powerless(lease);
}

TEST_P(StoreContract, ACompletedJobHasWhatIsToBeSaidOfItsResult) {
  submit("ann", "one");
  JobStore::Completion completion = completion_of(claim_one());
  completion.notes = {"the 16 bits of a colour become 8", "a second \"line\",\nof two"};
  completion.trace.preprocess = 7ms;
  completion.trace.postprocess = 9ms;
  ASSERT_TRUE(store_->complete(completion).value());
  open();
  const Job job = get("ann", "one");
  EXPECT_EQ(job.notes, completion.notes);
  EXPECT_EQ(job.trace.preprocess, Duration{7ms});
  EXPECT_EQ(job.trace.postprocess, Duration{9ms});
  submit("ann", "two");
  complete(claim_one());
  const Job other = get("ann", "two");
  EXPECT_TRUE(other.notes.empty() && !other.trace.preprocess && !other.trace.postprocess);
}

TEST_P(StoreContract, ALapsedLeaseGoesToTheNextAndItsHolderIsPowerless) {
  submit("ann", "one");
  const Lease first = claim_one();
  clock_.forward(29s);
  EXPECT_EQ(pulse(first), Pulse::Held);
  clock_.forward(29s);
  EXPECT_EQ(sweep().lapsed, 0u);
  clock_.forward(1s);
  expect_powerless(first);  // even before anybody has looked
  EXPECT_EQ(sweep().lapsed, 1u);
  EXPECT_EQ(state("one"), State::Queued);
  expect_powerless(first);
  const Lease second = claim_one();
  EXPECT_GT(second.fence, first.fence);
  EXPECT_EQ(get("ann", "one").attempt, 2);
  expect_powerless(first);
  EXPECT_TRUE(complete(second, 3));
  EXPECT_EQ(get("ann", "one").result->blob.id, blob_named(3));
  expect_powerless(first);
}

TEST_P(StoreContract, AfterTheLastAttemptAJobHasFailedWithTheLastError) {
  submit("ann", "one");
  for (int attempt = 1; attempt <= 5; ++attempt) {
    EXPECT_TRUE(store_->fail(claim_one(), {ErrorCode::OutOfMemory, "attempt " + std::to_string(attempt), "less"}, true).value());
    EXPECT_EQ(state("one"), attempt < 5 ? State::Queued : State::Failed);
  }
  const Job job = get("ann", "one");
  EXPECT_EQ(job.attempt, 5);
  ASSERT_TRUE(job.error);
  EXPECT_EQ(job.error->code, ErrorCode::OutOfMemory);
  EXPECT_EQ(job.error->message, "attempt 5");
  EXPECT_EQ(job.error->hint, "less");
  EXPECT_THAT(claim(), IsEmpty());
}

TEST_P(StoreContract, LapsedLeasesUseAttemptsUpToo) {
  submit("ann", "one");
  for (int attempt = 1; attempt <= 5; ++attempt) {
    claim_one();
    clock_.forward(31s);
    EXPECT_EQ(sweep().lapsed, 1u);
  }
  EXPECT_EQ(state("one"), State::Failed);
  EXPECT_THAT(get("ann", "one").error->message, testing::HasSubstr("attempt 5 of 5"));
}

TEST_P(StoreContract, AFailureThatIsNotRetryableIsFinalAtOnce) {
  submit("ann", "one");
  EXPECT_TRUE(store_->fail(claim_one(), {ErrorCode::BadInput, "bad shape", ""}, false).value());
  EXPECT_EQ(state("one"), State::Failed);
  EXPECT_THAT(event_types("ann"), ElementsAre("queued", "running", "failed"));
}

TEST_P(StoreContract, AReleasedAttemptIsNotCounted) {
  submit("ann", "one");
  const Lease lease = claim_one();
  EXPECT_TRUE(store_->release(lease).value());
  EXPECT_EQ(state("one"), State::Queued);
  EXPECT_EQ(get("ann", "one").attempt, 0);
  expect_powerless(lease);
}

TEST_P(StoreContract, AJobThatIsReleasedAfterItsDeadlineHasExpired) {
  JobSpec spec = spec_of("ann", "one");
  spec.deadline = clock_.now() + 10s;
  submit(spec);
  const Lease lease = claim_one();
  clock_.forward(10s);
  EXPECT_TRUE(store_->release(lease).value());
  EXPECT_EQ(state("one"), State::Expired);
  EXPECT_EQ(get("ann", "one").attempt, 0);
  EXPECT_THAT(event_types("ann"), ElementsAre("queued", "running", "expired"));
}

TEST_P(StoreContract, AQueuedJobThatIsCancelledNeverRuns) {
  submit("ann", "one");
  const auto cancelled = store_->cancel("ann", "one");
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->state, State::Cancelled);
  EXPECT_EQ(cancelled->stopped, "before it started");
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_THAT(event_types("ann"), ElementsAre("queued", "cancelled"));
}

TEST_P(StoreContract, ARunningJobThatIsCancelledStopsAtItsWorkersWord) {
  submit("ann", "one");
  const Lease lease = claim_one();
  const auto asked = store_->cancel("ann", "one");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->state, State::Running);
  EXPECT_TRUE(asked->cancel_requested);
  EXPECT_EQ(pulse(lease), Pulse::Cancelled);
  EXPECT_TRUE(store_->confirm_cancelled(lease, "after the batch that was running").value());
  EXPECT_EQ(get("ann", "one").stopped, "after the batch that was running");
  EXPECT_EQ(state("one"), State::Cancelled);
  expect_powerless(lease);
}

TEST_P(StoreContract, WhateverTheWorkerSaysAJobWhoseCancelWasAskedForEndsCancelled) {
  const std::vector<std::function<void(Lease)>> ends{
      [&](Lease lease) { EXPECT_TRUE(complete(lease)); },
      [&](Lease lease) {
        EXPECT_TRUE(store_->fail(lease, {ErrorCode::Internal, "x", ""}, true).value());
      },
      [&](Lease lease) {
        EXPECT_TRUE(store_->fail(lease, {ErrorCode::Internal, "x", ""}, false).value());
      },
      [&](Lease lease) { EXPECT_TRUE(store_->release(lease).value()); },
      [&](Lease) {
        clock_.forward(1h);
        EXPECT_EQ(sweep().lapsed, 1u);
      },
      [&](Lease) { EXPECT_EQ(store_->recover().value(), 1u); },
  };
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const std::string id = "job" + std::to_string(i);
    submit("ann", id);
    const Lease lease = claim_one();
    ASSERT_TRUE(store_->cancel("ann", id));
    ends[i](lease);
    const Job job = get("ann", id);
    EXPECT_EQ(job.state, State::Cancelled) << i;
    EXPECT_FALSE(job.cancel_requested || job.result) << i;
    EXPECT_NE(job.stopped, "") << i;
    EXPECT_FALSE(store_->referenced(blob_named(2)).value()) << i;
  }
}

TEST_P(StoreContract, CancellingAFinalJobLeavesItAsItIs) {
  submit("ann", "one");
  complete(claim_one());
  EXPECT_EQ(store_->cancel("ann", "one")->state, State::Done);
  EXPECT_EQ(store_->cancel("ann", "none").error().code, ErrorCode::NotFound);
}

TEST_P(StoreContract, AJobPastItsDeadlineIsNotStarted) {
  for (const char* id : {"claimed", "swept"}) {
    JobSpec spec = spec_of("ann", id);
    spec.deadline = clock_.now() + 10s;
    submit(spec);
    if (id == std::string("claimed")) submit("ann", "patient");
    clock_.forward(10s);
    if (id == std::string("claimed")) {
      EXPECT_THAT(claim_ids(5), ElementsAre("patient"));
    } else {
      EXPECT_EQ(sweep().deadlines, 1u);
    }
    EXPECT_EQ(state(id), State::Expired);
  }
  EXPECT_THAT(event_types("ann"), ElementsAre("queued", "queued", "expired", "running", "queued", "expired"));
}

TEST_P(StoreContract, AClaimFindsTheLivingBehindVeryManyThatExpired) {
  for (int i = 0; i < 1500; ++i) {
    JobSpec spec = spec_of("ann", "late" + std::to_string(i));
    spec.deadline = clock_.now() + 1s;
    submit(spec);
  }
  submit("ann", "patient");
  clock_.forward(1s);
  EXPECT_THAT(claim_ids(1), ElementsAre("patient"));
}

TEST_P(StoreContract, RetryQueuesAgainWithAllAttemptsAndWithoutTheOldDeadline) {
  JobSpec spec = spec_of("ann", "one");
  spec.deadline = clock_.now() + 1s;
  submit(spec);
  EXPECT_EQ(store_->retry("ann", "one").error().code, ErrorCode::Conflict);
  clock_.forward(2s);
  sweep();
  const auto again = store_->retry("ann", "one");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->state, State::Queued);
  EXPECT_FALSE(again->spec.deadline || again->finished || again->expires);
  const Lease lease = claim_one();
  EXPECT_EQ(store_->retry("ann", "one").error().code, ErrorCode::Conflict);
  EXPECT_TRUE(store_->fail(lease, {ErrorCode::BadInput, "bad", ""}, false).value());
  ASSERT_TRUE(store_->retry("ann", "one"));
  EXPECT_EQ(get("ann", "one").attempt, 0);
  EXPECT_FALSE(get("ann", "one").error);
  complete(claim_one());
  EXPECT_EQ(store_->retry("ann", "one").error().code, ErrorCode::Conflict);
  EXPECT_EQ(store_->retry("ann", "none").error().code, ErrorCode::NotFound);
  EXPECT_THAT(event_types("ann"), ElementsAre("queued", "expired", "queued", "running", "failed", "queued", "running", "done"));
}

}  // namespace
}  // namespace lapse::jobs
