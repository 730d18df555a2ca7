#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <lapse/jobs/data_folder.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <set>
#include <thread>

#include "jobs/child.hpp"
#include "jobs/stores.hpp"

namespace lapse::jobs {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// SHA-256 of "abc" and of nothing, from FIPS 180-4's examples.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const BlobStore::Referenced kNobody = [](const BlobId&) { return Result<bool>{false}; };
const BlobStore::Referenced kSomebody = [](const BlobId&) { return Result<bool>{true}; };

class Blobs : public testing::Test {
 protected:
  void SetUp() override { store_ = open(); }
  std::unique_ptr<FolderBlobStore> open() {
    auto store = FolderBlobStore::open(folder_ / "blobs");
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  Blob put(const std::string& text) {
    auto blob = store_->put(std::as_bytes(std::span(text)));
    EXPECT_TRUE(blob) << blob.error().message;
    return blob.value_or(Blob{});
  }
  std::size_t incoming() const {
    return static_cast<std::size_t>(std::ranges::count_if(fs::recursive_directory_iterator{folder_ / "blobs/incoming"},
                                                          [](const fs::directory_entry& entry) { return entry.is_regular_file(); }));
  }
  /// As if it had been put so long ago.
  void age(const BlobId& id, Duration by) {
    fs::last_write_time(store_->path(id), fs::file_time_type::clock::now() - std::chrono::duration_cast<fs::file_time_type::duration>(by));
  }

  Folder folder_;
  std::unique_ptr<FolderBlobStore> store_;
};

TEST_F(Blobs, ABlobIsAFileOfThisMachine) {
  const fs::path file = store_->local_file(put("abc").id).value();
  std::string text;
  std::getline(std::ifstream{file}, text);
  EXPECT_EQ(text, "abc");
  EXPECT_TRUE(file.is_absolute()) << file;
  EXPECT_EQ(store_->local_file(BlobId{kNothing}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(store_->local_file(BlobId{"../../etc/passwd"}).error().code, ErrorCode::BadInput);
}

TEST_F(Blobs, ABlobHasTheNameOfItsContent) {
  const Blob blob = put("abc");
  EXPECT_EQ(blob.id.hex, kAbc);
  EXPECT_EQ(blob.size, 3u);
  EXPECT_EQ(store_->read(blob.id).value(), "abc");
  EXPECT_EQ(put("").id.hex, kNothing);
  EXPECT_EQ(store_->read(BlobId{kNothing}).value(), "");
  EXPECT_EQ(incoming(), 0u);
}

TEST_F(Blobs, PiecesMakeTheSameBlobAsTheWhole) {
  const std::string text = "abc";
  auto writer = store_->create().value();
  for (const char& c : text) ASSERT_TRUE(writer->append(std::as_bytes(std::span(&c, 1))));
  EXPECT_EQ(writer->finish()->id.hex, kAbc);
  writer.reset();
  EXPECT_EQ(store_->read(BlobId{kAbc}).value(), "abc");
}

TEST_F(Blobs, AWriterThatDoesNotFinishLeavesNothing) {
  auto writer = store_->create().value();
  ASSERT_TRUE(writer->append(std::as_bytes(std::span("abc", 3))));
  EXPECT_EQ(incoming(), 1u);
  writer.reset();
  EXPECT_EQ(incoming(), 0u);
  EXPECT_EQ(store_->open(BlobId{kAbc}).error().code, ErrorCode::NotFound);
}

TEST_F(Blobs, PartsAreReadAndABlobStaysReadableWhenItIsDeleted) {
  const Blob blob = put("0123456789");
  const auto reader = store_->open(blob.id).value();
  EXPECT_EQ(store_->remove_unreferenced(std::span(&blob.id, 1), 0s, kNobody)->blobs, 1u);
  std::string part(4, '\0');
  EXPECT_EQ(reader->read(3, std::as_writable_bytes(std::span(part))).value(), 4u);
  EXPECT_EQ(part, "3456");
  EXPECT_EQ(reader->read(8, std::as_writable_bytes(std::span(part))).value(), 2u);
  EXPECT_EQ(reader->read(10, std::as_writable_bytes(std::span(part))).value(), 0u);
  EXPECT_EQ(reader->read(UINT64_MAX, std::as_writable_bytes(std::span(part))).value(), 0u);
  EXPECT_EQ(store_->open(blob.id).error().code, ErrorCode::NotFound);
}

TEST_F(Blobs, MoreThanTheLimitIsNotRead) {
  const Blob blob = put("0123456789");
  EXPECT_EQ(store_->read(blob.id, 9).error().code, ErrorCode::TooLarge);
  EXPECT_TRUE(store_->read(blob.id, 10));
}

TEST_F(Blobs, ANameThatIsNoneIsRefused) {
  for (const std::string& text : {std::string{}, std::string{"../../../etc/passwd"}, std::string(63, 'a'), std::string(65, 'a'),
                                  std::string(64, 'A'), std::string(64, 'g'), std::string(64, '\0'), std::string(62, 'a') + "/."}) {
    EXPECT_EQ(parse_blob_id(text).error().code, ErrorCode::BadInput) << text;
    EXPECT_EQ(store_->open(BlobId{text}).error().code, ErrorCode::BadInput) << text;
    const BlobId id{text};
    EXPECT_EQ(store_->remove_unreferenced(std::span(&id, 1), 0s, kNobody).error().code, ErrorCode::BadInput) << text;
  }
}

TEST_F(Blobs, CollectTakesWhatNobodyNeedsAndNothingNew) {
  const Blob needed = put("needed"), litter = put("litter"), fresh = put("fresh");
  age(needed.id, 1h);
  age(litter.id, 1h);
  const auto collected = store_->collect(10min, [&](const BlobId& id) { return Result<bool>{id == needed.id}; });
  ASSERT_TRUE(collected);
  EXPECT_EQ(collected->blobs, 1u);
  EXPECT_EQ(collected->bytes, litter.size);
  EXPECT_TRUE(store_->open(needed.id));
  EXPECT_TRUE(store_->open(fresh.id));
  EXPECT_EQ(store_->open(litter.id).error().code, ErrorCode::NotFound);
}

TEST_F(Blobs, PuttingABlobAgainMakesItNew) {
  const Blob blob = put("abc");
  age(blob.id, 1h);
  put("abc");
  EXPECT_EQ(store_->collect(10min, kNobody)->blobs, 0u);
  EXPECT_TRUE(store_->open(blob.id));
}

TEST_F(Blobs, ADamagedBlobIsHealedByPuttingItAgain) {
  const Blob blob = put("abc");
  std::ofstream(store_->path(blob.id), std::ios::trunc) << "a";
  put("abc");
  EXPECT_EQ(store_->read(blob.id).value(), "abc");
}

TEST_F(Blobs, AQuestionThatFailsDeletesNothing) {
  const Blob blob = put("abc");
  const auto collected = store_->collect(0s, [](const BlobId&) -> Result<bool> { return fail(ErrorCode::Unavailable, "no answer"); });
  EXPECT_EQ(collected.error().code, ErrorCode::Unavailable);
  EXPECT_TRUE(store_->open(blob.id));
}

TEST_F(Blobs, WhileABackupHoldsThemNoneIsDeleted) {
  const Blob blob = put("abc");
  {
    const auto held = store_->hold();
    ASSERT_TRUE(held);
    EXPECT_EQ(open()->collect(0s, kNobody)->blobs, 0u);
    EXPECT_EQ(store_->remove_unreferenced(std::span(&blob.id, 1), 0s, kNobody)->blobs, 0u);
  }
  EXPECT_EQ(store_->collect(0s, kNobody)->blobs, 1u);
}

TEST_F(Blobs, AKilledWritersLitterIsCollectedAndALivingOnesIsNot) {
  Child living{{"begin", folder_ / "blobs"}}, dead{{"begin", folder_ / "blobs"}};
  ASSERT_EQ(living.line(), "begun");
  ASSERT_EQ(dead.line(), "begun");
  EXPECT_EQ(store_->collect(0s, kSomebody)->blobs, 0u);
  EXPECT_EQ(incoming(), 2u);
  dead.kill();
  EXPECT_EQ(store_->collect(1h, kSomebody)->blobs, 0u) << "it may be new";
  EXPECT_EQ(store_->collect(0s, kSomebody)->blobs, 1u);
  EXPECT_EQ(incoming(), 1u);
}

TEST_F(Blobs, TheSameContentFromManyThreadsIsStoredOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) put("content " + std::to_string(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(incoming(), 0u);
  EXPECT_EQ(store_->collect(0s, kNobody)->blobs, 20u);
}

TEST_F(Blobs, APutWaitsForADeletionThatHasBegun) {
  const Blob blob = put("abc");
  std::future<void> again;
  const auto deleted = store_->remove_unreferenced(std::span(&blob.id, 1), 0s, [&](const BlobId&) {
    again = std::async(std::launch::async, [&] { put("abc"); });
    // Not for luck: it waits for as long as this deletion takes, so this can only be red where it doesn't wait.
    EXPECT_EQ(again.wait_for(100ms), std::future_status::timeout);
    return Result<bool>{false};
  });
  EXPECT_EQ(deleted->blobs, 1u);
  again.get();
  EXPECT_EQ(store_->read(blob.id).value_or("lost"), "abc");
}

// The collector makes old what it finds and collects it; whoever puts a blob and holds the collector off finds it whole.
TEST_F(Blobs, APutAndACollectionNeverMeet) {
  constexpr int kContents = 8;
  std::vector<BlobId> ids;
  for (int i = 0; i < kContents; ++i) ids.push_back(put("content " + std::to_string(i)).id);
  std::atomic<bool> ended{false};
  std::mutex aging;  // a blob is made old only between two puts, as an hour would
  std::thread collector{[&] {
    while (!ended) {
      {
        const std::lock_guard lock{aging};
        for (const BlobId& id : ids) {
          if (fs::exists(store_->path(id))) age(id, 1h);
        }
      }
      EXPECT_TRUE(store_->collect(30min, kNobody));
    }
  }};
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::lock_guard lock{aging};
      const std::string content = "content " + std::to_string(i);
      EXPECT_EQ(put(content).id, ids[i]);
      EXPECT_EQ(store_->read(ids[i]).value_or("lost"), content) << "put again while it was being collected";
    }
  }
  ended = true;
  collector.join();
  EXPECT_EQ(incoming(), 0u);
}

TEST_F(Blobs, SeveralProcessesPutTheSameWhileOneCollects) {
  Child one{{"put", folder_ / "blobs", "0", "40"}}, two{{"put", folder_ / "blobs", "0", "40"}};
  std::atomic<bool> ended{false};
  std::thread collector{[&] {
    while (!ended) EXPECT_TRUE(store_->collect(1h, kNobody));
  }};
  EXPECT_EQ(one.line(), "done");
  EXPECT_EQ(two.line(), "done");
  EXPECT_EQ(one.wait(), 0);
  EXPECT_EQ(two.wait(), 0);
  ended = true;
  collector.join();
  EXPECT_EQ(incoming(), 0u);
  EXPECT_EQ(store_->collect(0s, kNobody)->blobs, 40u) << "all are there, each once";
}

TEST_F(Blobs, AFullDiskIsSaidAndLeavesNothingBehind) {
  Child child{{"fill", folder_ / "blobs", "65536"}};
  const auto refusal = child.line();
  ASSERT_TRUE(refusal);
  EXPECT_THAT(*refusal, testing::StartsWith("unavailable: "));
  EXPECT_THAT(*refusal, testing::HasSubstr("File too large"));
  EXPECT_EQ(child.line(), "and the next one is stored");
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(incoming(), 0u);
}

TEST_F(Blobs, AFolderThatCantBeUsedIsSaid) {
  std::ofstream(folder_ / "file") << "x";
  EXPECT_EQ(FolderBlobStore::open(folder_ / "file").error().code, ErrorCode::Unavailable);
  EXPECT_EQ(FolderBlobStore::open(folder_ / "file/blobs").error().code, ErrorCode::Unavailable);
  EXPECT_EQ(FolderBlobStore::open("/proc/blobs").error().code, ErrorCode::Unavailable);
  fs::remove_all(folder_ / "blobs");
  const std::string text = "abc";
  EXPECT_EQ(store_->put(std::as_bytes(std::span(text))).error().code, ErrorCode::Unavailable);
}

TEST(FolderSync, AFolderWhoseFsyncFailedIsNeverCalledDurableAgain) {
  FolderSync sync{"/proc/self/fd"};  // a folder that knows no fsync
  ASSERT_TRUE(sync.open());
  EXPECT_EQ(sync.sync().error().code, ErrorCode::Unavailable);
  EXPECT_EQ(sync.sync().error().code, ErrorCode::Unavailable);
}

TEST(DataFolder, OnlyOneServerHasAFolder) {
  const Folder folder;
  {
    Child holder{{"hold", folder / "data"}};
    const auto process = holder.line();
    ASSERT_TRUE(process);
    const auto refused = DataFolder::open(folder / "data");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("in use by another server (process " + *process + ")"));
  }
  EXPECT_TRUE(DataFolder::open(folder / "data")) << "the lock goes with its holder";
}

TEST(DataFolder, MissingFoldersAreMadeForTheirOwnerAlone) {
  const Folder folder;
  ASSERT_TRUE(DataFolder::open(folder / "a/b/c/"));
  struct stat status {};
  ASSERT_EQ(::stat((folder / "a/b/c").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_EQ(DataFolder::open("/proc/data").error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace lapse::jobs
