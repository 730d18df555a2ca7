#pragma once
// A store that another one stands behind, and that can have a full disk for a while.

#include <atomic>
#include <lapse/jobs/job_store.hpp>
#include <memory>

namespace lapse::serve {

class StoreDouble final : public jobs::JobStore {
 public:
  std::unique_ptr<jobs::JobStore> inner;
  std::atomic<int> full = 0;    // so many more completions fail
  std::atomic<int> failed = 0;  // so many have

  Result<jobs::Submitted> submit(const jobs::JobSpec& spec) override { return inner->submit(spec); }
  Result<std::vector<jobs::Claimed>> claim(const ClaimRequest& request) override { return inner->claim(request); }
  Result<std::vector<jobs::Pulse>> heartbeat(std::span<const jobs::Lease> leases, Duration lease) override {
    return inner->heartbeat(leases, lease);
  }
  Result<bool> progress(jobs::Lease lease, jobs::Progress progress) override { return inner->progress(lease, progress); }
  Result<bool> complete(const Completion& completion) override {
    if (full > 0) {
      --full;
      ++failed;
      return lapse::fail(ErrorCode::Unavailable, "database or disk is full");
    }
    return inner->complete(completion);
  }
  Result<bool> fail(jobs::Lease lease, const Error& error, bool retryable) override { return inner->fail(lease, error, retryable); }
  Result<bool> release(jobs::Lease lease) override { return inner->release(lease); }
  Result<bool> confirm_cancelled(jobs::Lease lease, const std::string& stopped) override {
    return inner->confirm_cancelled(lease, stopped);
  }
  Result<jobs::Job> cancel(const std::string& owner, const std::string& id) override { return inner->cancel(owner, id); }
  Result<jobs::Removed> remove(const std::string& owner, const std::string& id) override { return inner->remove(owner, id); }
  Result<jobs::Job> retry(const std::string& owner, const std::string& id) override { return inner->retry(owner, id); }
  Result<void> delivered(const std::string& owner, std::span<const std::string> ids) override { return inner->delivered(owner, ids); }
  Result<jobs::Job> get(const std::string& owner, const std::string& id) override { return inner->get(owner, id); }
  Result<std::uint64_t> position(std::uint64_t job) override { return inner->position(job); }
  Result<jobs::Page> list(const std::string& owner, const jobs::Filter& filter, std::size_t limit,
                          std::optional<std::uint64_t> before) override {
    return inner->list(owner, filter, limit, before);
  }
  Result<Events> events_since(const std::string& owner, std::uint64_t sequence, std::size_t limit) override {
    return inner->events_since(owner, sequence, limit);
  }
  void on_change(std::function<void(const Changes&)> listener) override { return inner->on_change(std::move(listener)); }
  Result<std::vector<jobs::QueueDepth>> depths() override { return inner->depths(); }
  Result<bool> referenced(const jobs::BlobId& blob) override { return inner->referenced(blob); }
  Result<jobs::Swept> sweep(std::size_t limit) override { return inner->sweep(limit); }
  Result<std::size_t> recover() override { return inner->recover(); }
  Result<std::vector<jobs::Notice>> due_notices(std::size_t count, Duration lease) override { return inner->due_notices(count, lease); }
  Result<void> notice_delivered(std::uint64_t notice) override { return inner->notice_delivered(notice); }
  Result<void> notice_failed(std::uint64_t notice, const std::string& reason, std::optional<jobs::Time> next) override {
    return inner->notice_failed(notice, reason, next);
  }
  Result<void> backup(const std::string& file) override { return inner->backup(file); }
  Result<void> healthy() override { return inner->healthy(); }
};

}  // namespace lapse::serve
