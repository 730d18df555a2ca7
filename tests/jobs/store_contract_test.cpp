// What every JobStore promises (lapse/jobs/job_store.hpp). A store joins by its factory at the end of this file.

#include "jobs/stores.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <lapse/jobs/sqlite_job_store.hpp>
#include <nlohmann/json.hpp>
#include <thread>

namespace lapse::jobs {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class StoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override { open(); }

  void open() {
    store_.reset();
    auto store = GetParam().open(folder_.path(), limits_, clock_.clock());
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }

  Job submit(const JobSpec& spec) {
    auto submitted = store_->submit(spec);
    EXPECT_TRUE(submitted) << submitted.error().message;
    return submitted ? submitted->job : Job{};
  }
  Job submit(const std::string& owner, const std::string& id, int priority = 0) { return submit(spec_of(owner, id, priority)); }

  std::vector<Claimed> claim(std::size_t count = 1, const std::string& model = "model", Duration lease = 30s) {
    auto claimed = store_->claim({"worker", model, {}, true, count, lease});
    EXPECT_TRUE(claimed) << claimed.error().message;
    return claimed ? *claimed : std::vector<Claimed>{};
  }
  Lease claim_one() {
    const auto claimed = claim();
    EXPECT_EQ(claimed.size(), 1u);
    return claimed.empty() ? Lease{} : claimed[0].lease;
  }
  std::vector<std::string> claim_ids(std::size_t count, const std::string& model = "model") { return ids_of(claim(count, model)); }
  bool complete(Lease lease, int result = 2) {
    JobStore::Completion completion = completion_of(lease, result);
    completion.result.header_length = 7;
    completion.trace.batched = clock_.now();
    completion.trace.started = clock_.now();
    completion.trace.forward = 5ms;
    completion.trace.batch_size = 3;
    const auto kept = store_->complete(completion);
    EXPECT_TRUE(kept) << kept.error().message;
    return kept.value_or(false);
  }
  Job get(const std::string& owner, const std::string& id) {
    auto job = store_->get(owner, id);
    EXPECT_TRUE(job) << job.error().message;
    return job.value_or(Job{});
  }
  State state(const std::string& id) { return get("ann", id).state; }
  ErrorCode get_error(const std::string& owner, const std::string& id) {
    const auto job = store_->get(owner, id);
    EXPECT_FALSE(job);
    return job ? ErrorCode::Internal : job.error().code;
  }
  Swept sweep(std::size_t limit = 1000) {
    auto swept = store_->sweep(limit);
    EXPECT_TRUE(swept) << swept.error().message;
    return swept.value_or(Swept{});
  }
  std::vector<std::string> event_types(const std::string& owner, std::uint64_t after = 0) {
    std::vector<std::string> types;
    const auto found = store_->events_since(owner, after, 10'000);
    EXPECT_TRUE(found);
    std::uint64_t expected = std::max(after + 1, found->oldest);
    for (const Event& event : found->events) {
      EXPECT_EQ(event.sequence, expected++) << "a gap";
      types.push_back(event.type);
    }
    return types;
  }
  Pulse pulse(Lease lease, Duration extend = 30s) { return store_->heartbeat(std::span(&lease, 1), extend).value().at(0); }

  /// Nothing that the holder of this lease says has any effect.
  void expect_powerless(Lease zombie) {
    const auto before = event_types("ann");
    EXPECT_FALSE(complete(zombie));
    EXPECT_FALSE(store_->fail(zombie, {ErrorCode::Internal, "zombie", ""}, true).value());
    EXPECT_FALSE(store_->fail(zombie, {ErrorCode::Internal, "zombie", ""}, false).value());
    EXPECT_FALSE(store_->release(zombie).value());
    EXPECT_FALSE(store_->confirm_cancelled(zombie, "zombie").value());
    EXPECT_FALSE(store_->progress(zombie, {1, 2}).value());
    EXPECT_EQ(pulse(zombie), Pulse::Lost);
    EXPECT_EQ(event_types("ann"), before);
  }

  Folder folder_;
  FakeClock clock_;
  Limits limits_;
  std::unique_ptr<JobStore> store_;
};

TEST_P(StoreContract, ASubmittedJobIsThereAsItWasHandedIn) {
  JobSpec spec = spec_of("ann", "one", 3);
  spec.version = "7";
  spec.deadline = clock_.now() + 1h;
  spec.webhook = "https://example.org/hook";
  spec.input.header_length = 61;
  spec.label = "휴가 1.jpg";
  spec.parameters = R"({"format":"png"})";
  const auto submitted = store_->submit(spec);
  ASSERT_TRUE(submitted);
  EXPECT_TRUE(submitted->created);
  for (const Job& job : {submitted->job, get("ann", "one")}) {
    EXPECT_EQ(job.state, State::Queued);
    EXPECT_EQ(job.spec.model, "model");
    EXPECT_EQ(job.spec.version, "7");
    EXPECT_EQ(job.spec.priority, 3);
    EXPECT_EQ(job.spec.deadline, spec.deadline);
    EXPECT_EQ(job.spec.webhook, spec.webhook);
    EXPECT_EQ(job.spec.input.blob.id, spec.input.blob.id);
    EXPECT_EQ(job.spec.input.blob.size, 100u);
    EXPECT_EQ(job.spec.input.content_type, "application/json");
    EXPECT_EQ(job.spec.input.header_length, 61u);
    EXPECT_EQ(job.spec.label, spec.label);
    EXPECT_EQ(job.spec.parameters, spec.parameters);
    EXPECT_EQ(job.attempt, 0);
    EXPECT_EQ(job.max_attempts, 5);
    EXPECT_EQ(job.trace.accepted, clock_.now());
    EXPECT_EQ(job.number, submitted->job.number);
    EXPECT_FALSE(job.result || job.error || job.finished || job.expires);
  }
}

TEST_P(StoreContract, TheSameSubmissionAgainIsTheSameJobWhateverItsState) {
  const Job first = submit("ann", "one");
  const auto again = store_->submit(spec_of("ann", "one"));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->job.number, first.number);
  complete(claim_one());
  const auto later = store_->submit(spec_of("ann", "one"));
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->created);
  EXPECT_EQ(later->job.state, State::Done);
  EXPECT_THAT(event_types("ann"), ElementsAre("queued", "running", "done"));
}

TEST_P(StoreContract, AnotherRequestUnderAnIdThatIsTakenIsAConflict) {
  submit("ann", "one");
  JobSpec other = spec_of("ann", "one");
  other.digest = "other";
  EXPECT_EQ(store_->submit(other).error().code, ErrorCode::Conflict);
}

TEST_P(StoreContract, OwnersNeverSeeEachOther) {
  const Job anns = submit("ann", "one");
  JobSpec bobs = spec_of("bob", "one");
  bobs.digest = "bob's";
  EXPECT_NE(submit(bobs).number, anns.number);
  EXPECT_EQ(get_error("eve", "one"), ErrorCode::NotFound);
  EXPECT_EQ(store_->cancel("eve", "one").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store_->remove("eve", "one").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store_->retry("eve", "one").error().code, ErrorCode::NotFound);
  EXPECT_THAT(store_->list("eve", {}, 10, {})->jobs, IsEmpty());
  EXPECT_THAT(event_types("eve"), IsEmpty());
  EXPECT_EQ(store_->list("ann", {}, 10, {})->jobs.size(), 1u);
  EXPECT_THAT(event_types("bob"), ElementsAre("queued"));
}

TEST_P(StoreContract, BadNamesAndPrioritiesAreRefused) {
  for (const std::string& id : {std::string{}, std::string(129, 'a'), std::string{"a/b"}, std::string{"a b"}, std::string("a\0b", 3),
                                std::string{"\xc3\xa4"}, std::string{"."}, std::string{".."}}) {
    EXPECT_EQ(store_->submit(spec_of("ann", id)).error().code, ErrorCode::BadInput) << id;
  }
  EXPECT_EQ(store_->submit(spec_of("", "one")).error().code, ErrorCode::BadInput);
  EXPECT_EQ(store_->submit(spec_of(std::string(65, 'a'), "one")).error().code, ErrorCode::BadInput);
  EXPECT_EQ(store_->submit(spec_of("ann", "one", 11)).error().code, ErrorCode::BadInput);
  EXPECT_EQ(store_->submit(spec_of("ann", "one", -11)).error().code, ErrorCode::BadInput);
  JobSpec spec = spec_of("ann", "one");
  spec.input.blob.id.hex = "../../etc/passwd";
  EXPECT_EQ(store_->submit(spec).error().code, ErrorCode::BadInput);
  EXPECT_TRUE(store_->submit(spec_of(std::string(64, 'a'), std::string(124, 'a') + "._~-", 10)));
}

TEST_P(StoreContract, ALabelIsTextThatFitsALine) {
  JobSpec spec = spec_of("ann", "one");
  for (const std::string& label : {std::string(256, 'a'), std::string{"two\nlines"}, std::string("a\0b", 3), std::string{"\x7f"},
                                   std::string{"\xc2\x85"}, std::string{"\xff"}, std::string{"\xc0\xaf"}, std::string{"\xed\xa0\x80"},
                                   std::string{"\xf4\x90\x80\x80"}, std::string{"\xec\x82"}}) {
    spec.label = label;
    EXPECT_EQ(store_->submit(spec).error().code, ErrorCode::BadInput) << label;
  }
  spec.label = std::string(237, 'a') + "é사진\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xc2\xa0";
  ASSERT_EQ(spec.label.size(), 255u);
  EXPECT_EQ(submit(spec).spec.label, spec.label);
}

TEST_P(StoreContract, ClaimsTakeTurnsBetweenOwnersAndHighPrioritiesFirst) {
  // Ranks: ann 0 1 2 3, bob 0 1, and cat, who comes after two claims (virtual time 0 by then), 0.
  for (const char* id : {"a0", "a1", "a2", "a3"}) submit("ann", id);
  for (const char* id : {"b0", "b1"}) submit("bob", id);
  EXPECT_THAT(claim_ids(2), ElementsAre("a0", "b0"));
  submit("cat", "c0");
  submit("ann", "urgent", 1);
  submit("ann", "idle", -1);
  EXPECT_THAT(claim_ids(10), ElementsAre("urgent", "c0", "a1", "b1", "a2", "a3", "idle"));
  // Virtual time is 3 now: whoever was away has saved nothing up, and ann's next is 4.
  submit("ann", "a4");
  submit("bob", "b2");
  submit("bob", "b3");
  EXPECT_THAT(claim_ids(10), ElementsAre("b2", "a4", "b3"));
}

TEST_P(StoreContract, PositionsAreThoseOfTheClaims) {
  std::map<std::string, std::uint64_t> numbers;
  for (const auto& [owner, id, priority] : std::vector<std::tuple<std::string, std::string, int>>{
           {"ann", "a0", 0}, {"ann", "a1", 0}, {"ann", "a2", 0}, {"bob", "b0", 0}, {"bob", "b1", 5}, {"cat", "c0", -3}}) {
    numbers[id] = submit(owner, id, priority).number;
  }
  submit(spec_of("ann", "elsewhere", 10, "another model"));
  JobSpec versioned = spec_of("dan", "versioned", 1);
  versioned.version = "2";
  numbers["versioned"] = submit(versioned).number;
  std::map<std::uint64_t, std::string> order;
  for (const auto& [id, number] : numbers) order[store_->position(number).value()] = id;
  std::vector<std::string> ids;
  for (const auto& [position, id] : order) {
    EXPECT_EQ(position, ids.size());
    ids.push_back(id);
  }
  EXPECT_THAT(ids, ElementsAre("b1", "versioned", "a0", "b0", "a1", "a2", "c0"));
  EXPECT_EQ(ids_of(store_->claim({"worker", "model", {"2"}, true, 10, 30s}).value()), ids);
}

TEST_P(StoreContract, AClaimTakesOnlyItsModelAndVersions) {
  JobSpec old = spec_of("ann", "old");
  old.version = "1";
  submit(old);
  submit("ann", "any");
  submit(spec_of("ann", "elsewhere", 0, "another model"));
  const auto ids = [&](std::vector<std::string> versions, bool newest) {
    return ids_of(store_->claim({"worker", "model", std::move(versions), newest, 10, 30s}).value());
  };
  EXPECT_THAT(ids({"2"}, false), IsEmpty());
  EXPECT_THAT(ids({"2"}, true), ElementsAre("any"));
  EXPECT_THAT(ids({"1"}, false), ElementsAre("old"));
  EXPECT_THAT(ids({"1", "2"}, true), IsEmpty());
}

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

TEST_P(StoreContract, ListsAreNewestFirstInPagesAndFiltered) {
  for (int i = 0; i < 7; ++i) submit(spec_of("ann", "job" + std::to_string(i), 0, i % 2 == 0 ? "even" : "odd"));
  submit("bob", "not-anns");
  claim(1, "even");
  std::vector<std::string> ids;
  std::optional<std::uint64_t> before;
  int pages = 0;
  do {
    const Page page = store_->list("ann", {}, 3, before).value();
    for (const Job& job : page.jobs) ids.push_back(job.spec.id);
    before = page.next;
    ++pages;
  } while (before);
  EXPECT_THAT(ids, ElementsAre("job6", "job5", "job4", "job3", "job2", "job1", "job0"));
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(store_->list("ann", {State::Running, ""}, 10, {})->jobs.size(), 1u);
  EXPECT_EQ(store_->list("ann", {State::Queued, "even"}, 10, {})->jobs.size(), 3u);
  EXPECT_EQ(store_->list("ann", {{}, "odd"}, 3, {})->jobs.size(), 3u);
  EXPECT_FALSE(store_->list("ann", {{}, "odd"}, 3, {})->next) << "nothing follows";
  EXPECT_THAT(store_->list("ann", {}, 0, {})->jobs, IsEmpty());
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

TEST_P(StoreContract, ManyThreadsAtOnceLoseNothingAndRunNothingTwice) {
  constexpr int kThreads = 8, kJobs = 40;
  std::vector<std::thread> threads;
  std::atomic<int> completed{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(store_->submit(spec_of(t % 2 == 0 ? "ann" : "bob", fmt::format("job-{}-{}", t, i))));
        const auto claimed = store_->claim({"worker", "model", {}, true, 2, 30s});
        ASSERT_TRUE(claimed);
        for (const Claimed& one : *claimed) {
          ASSERT_TRUE(store_->get(one.job.spec.owner, one.job.spec.id));
          ASSERT_TRUE(store_->complete(completion_of(one.lease)).value());
          ++completed;
        }
        ASSERT_TRUE(store_->events_since("ann", 0, 10));
        ASSERT_TRUE(store_->depths());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (true) {
    const auto rest = claim(100);
    if (rest.empty()) break;
    for (const Claimed& one : rest) completed += complete(one.lease) ? 1 : 0;
  }
  EXPECT_EQ(completed, kThreads * kJobs);
  const auto anns = event_types("ann"), bobs = event_types("bob");
  EXPECT_EQ(std::ranges::count(anns, "done") + std::ranges::count(bobs, "done"), kThreads * kJobs);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         testing::Values(StoreFactory{"sqlite",
                                                      [](const std::string& folder, const Limits& limits, Clock clock) {
                                                        return SqliteJobStore::open(folder + "/jobs.sqlite", limits, std::move(clock))
                                                            .map([](auto store) -> std::unique_ptr<JobStore> { return store; });
                                                      }}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace lapse::jobs
