#pragma once
// What every JobStore promises (lapse/jobs/job_store.hpp): the fixture of the suite, whose cases lie in store_*_test.cpp by their subject.
// A store joins by its factory at the end of store_contract_test.cpp.

#include <gmock/gmock.h>

#include <lapse/jobs/job_store.hpp>
#include <memory>
#include <string>
#include <vector>

#include "jobs/stores.hpp"

namespace lapse::jobs {

using namespace std::chrono_literals;

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

}  // namespace lapse::jobs
