// What every JobStore promises of submissions, claims and lists, and under many threads; and the stores that the suite runs on.

#include <fmt/format.h>

#include <lapse/jobs/sqlite_job_store.hpp>
#include <thread>

#include "jobs/store_contract.hpp"

namespace lapse::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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
