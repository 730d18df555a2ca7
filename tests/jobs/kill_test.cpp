// What was acknowledged is there after a kill -9 at any moment, and nothing ends twice. The process dies, the page cache lives: this tests
// the order of the steps, not fsync.

#include <gtest/gtest.h>

#include <algorithm>
#include <lapse/jobs/data_folder.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <lapse/jobs/sqlite_job_store.hpp>
#include <map>
#include <random>
#include <sstream>

#include "jobs/child.hpp"
#include "jobs/stores.hpp"

namespace lapse::jobs {
namespace {

using namespace std::chrono_literals;

constexpr int kRounds = 30;

/// (owner, id) → the last thing that was acknowledged: "submitted", or a final state.
using Acknowledged = std::map<std::pair<std::string, std::string>, std::string>;

void hear(const std::string& line, Acknowledged& acknowledged) {
  std::istringstream words{line};
  std::string what, owner, id;
  words >> what >> owner >> id;
  std::string& known = acknowledged[{owner, id}];
  // Two threads of the child may tell the end of a job before its beginning.
  if (known.empty() || known == "submitted") known = what;
}

/// Events of each owner without gaps; those of each job a queueing, attempts, and at most one end, which is its state.
void check_events(JobStore& store, const Acknowledged& acknowledged) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> stories;
  for (const std::string& owner : {std::string{"ann"}, std::string{"bob"}}) {
    const auto found = store.events_since(owner, 0, 1'000'000);
    ASSERT_TRUE(found);
    std::uint64_t expected = 1;
    for (const Event& event : found->events) {
      ASSERT_EQ(event.sequence, expected++);
      stories[{owner, event.job}].push_back(event.type);
    }
  }
  for (const auto& [key, what] : acknowledged) {
    const auto job = store.get(key.first, key.second);
    ASSERT_TRUE(job) << key.second << " was acknowledged and is lost: " << job.error().message;
    if (what != "submitted") {
      EXPECT_EQ(name(job->state), what) << key.second;
    }
  }
  for (const auto& [key, story] : stories) {
    const auto is_end = [](const std::string& type) { return type == "done" || type == "failed" || type == "cancelled"; };
    const auto ends = std::ranges::count_if(story, is_end);
    const auto job = store.get(key.first, key.second);
    ASSERT_TRUE(job) << key.second;
    EXPECT_EQ(ends, final(job->state) ? 1 : 0) << key.second;
    EXPECT_EQ(story.back(), name(job->state)) << key.second;
    EXPECT_EQ(story.front(), "queued") << key.second;
  }
}

TEST(Kill, NothingAcknowledgedIsLostAndNothingEndsTwice) {
  const Folder folder;
  const std::string data = folder / "data";
  std::mt19937 random{20240131};
  Acknowledged acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    {
      Child child{{"work", data, "round" + std::to_string(round), std::to_string(round)}};
      for (auto lines = random() % 200; lines > 0; --lines) {
        const auto line = child.line();
        ASSERT_TRUE(line) << "the child ended by itself";
        hear(*line, acknowledged);
      }
      child.kill();
      while (const auto line = child.line()) hear(*line, acknowledged);  // what it said before it died counts
    }
    const auto held = DataFolder::open(data);
    ASSERT_TRUE(held) << held.error().message;
    const auto store = SqliteJobStore::open(held->database(), {});
    ASSERT_TRUE(store) << store.error().message;
    check_events(**store, acknowledged);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(acknowledged.size(), 100u);

  // And the work goes on: every job comes to its end, and every blob is there with its content.
  const auto store = SqliteJobStore::open(DataFolder::database(data), {}).value();
  const auto blobs = FolderBlobStore::open(DataFolder::blobs(data)).value();
  ASSERT_TRUE(store->recover());
  ASSERT_TRUE(blobs->collect(0s, [&](const BlobId& id) { return store->referenced(id); }));
  while (true) {
    const auto claimed = store->claim({"worker", "model", {}, true, 100, 30s}).value();
    if (claimed.empty()) break;
    for (const Claimed& one : claimed) {
      EXPECT_EQ(blobs->read(one.job.spec.input.blob.id).value_or("lost"), "input of " + one.job.spec.id);
      EXPECT_TRUE(store->complete(completion_of(one.lease)).value());
    }
  }
  check_events(*store, acknowledged);
  for (const auto& [key, what] : acknowledged) {
    const Job job = store->get(key.first, key.second).value();
    EXPECT_TRUE(final(job.state)) << key.second;
    if (what == "done") {
      EXPECT_EQ(blobs->read(job.result->blob.id).value_or("lost"), "result of " + key.second);
    }
  }
}

}  // namespace
}  // namespace lapse::jobs
