// What is SQLite's own: versions of the schema, damaged files, full disks, the size of the log, backups.

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <lapse/jobs/backup.hpp>
#include <lapse/jobs/commit_queue.hpp>
#include <lapse/jobs/data_folder.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <lapse/jobs/schema.hpp>
#include <lapse/jobs/sqlite_job_store.hpp>
#include <thread>

#include "jobs/child.hpp"
#include "jobs/stores.hpp"

namespace lapse::jobs {
namespace {

using namespace std::chrono_literals;
using sqlite::Connection;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Sqlite : public testing::Test {
 protected:
  std::unique_ptr<Connection> connect() { return Connection::open(file_, Connection::Mode::Write).value(); }
  Error refused() {
    const auto store = SqliteJobStore::open(file_, {});
    EXPECT_FALSE(store);
    return store ? Error{} : store.error();
  }
  Folder folder_;
  const std::string file_ = folder_ / "jobs.sqlite";
};

TEST_F(Sqlite, AnOlderDatabaseIsMigratedWithWhatIsInIt) {
  {
    const auto store = SqliteJobStore::open(file_, {}).value();
    ASSERT_TRUE(store->submit(spec_of("ann", "one")));
  }
  const auto connection = connect();
  std::vector<std::string_view> steps(migrations().begin(), migrations().end());
  steps.push_back("ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL DEFAULT 'green';");
  steps.push_back("CREATE INDEX jobs_by_colour ON jobs (colour);");
  ASSERT_TRUE(prepare_schema(*connection, steps));
  EXPECT_EQ(connection->number("PRAGMA user_version").value(), std::ssize(steps));
  EXPECT_EQ(connection->number("SELECT count(*) FROM jobs WHERE colour = 'green'").value(), 1);
  ASSERT_TRUE(prepare_schema(*connection, steps)) << "and a second time there is nothing to do";
}

TEST_F(Sqlite, ADatabaseOfVersion1IsMigratedAndItsJobsAreRead) {
  {
    const auto connection = connect();
    ASSERT_TRUE(prepare_schema(*connection, migrations().first(1)));
    ASSERT_TRUE(connection->script(R"(
      INSERT INTO owners VALUES ('ann', 0);
      INSERT INTO jobs VALUES
        (1, 'ann', 'done', 'model', '7', 'aa', 100, 'application/json', 61, -3, NULL, 'https://example.org/', 'digest of done', 2, 1, 5, 0,
         '', 0, 1, NULL, NULL, NULL, 'bb', 200, 'application/octet-stream', 9, 1700000000000000000, 1700000000000000001,
         1700000000000000002, 1700000000000000003, 1700000000000000004, NULL, 5000000, NULL, 1700000000000000005, NULL, 3,
         1700000000000000005, 4000000000000000000, 0, 1, 0, 'worker'),
        (2, 'ann', 'queued', 'model', '', 'cc', 50, 'application/json', 0, 0, NULL, '', 'digest of queued', 0, 0, 5, 0, '', 0, 0, NULL,
         NULL, NULL, NULL, NULL, NULL, NULL, 1700000000000000000, 1700000000000000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0,
         NULL, NULL, 0, 0, 0, '');)"));
  }
  const auto store = SqliteJobStore::open(file_, {}).value();
  EXPECT_EQ(connect()->number("PRAGMA user_version").value(), 2);
  const Job done = store->get("ann", "done").value();
  EXPECT_EQ(done.state, State::Done);
  EXPECT_EQ(done.spec.version + done.spec.digest + done.spec.webhook, "7digest of donehttps://example.org/");
  EXPECT_EQ(done.spec.priority, 3);
  EXPECT_EQ(done.result->blob.id.hex, "bb");
  EXPECT_EQ(done.result->header_length, 9u);
  EXPECT_EQ(done.trace.started, Time{Duration{1700000000000000004}});
  EXPECT_EQ(done.trace.forward, Duration{5ms});
  EXPECT_EQ(done.trace.stored, done.finished);
  EXPECT_EQ(done.trace.batch_size, 3u);
  EXPECT_TRUE(done.spec.label.empty() && done.spec.parameters.empty() && done.notes.empty());
  EXPECT_FALSE(done.trace.d2h || done.trace.preprocess || done.trace.postprocess || done.trace.delivered);
  const auto claimed = store->claim({"worker", "model", {}, true, 9, 30s}).value();
  ASSERT_EQ(ids_of(claimed), std::vector<std::string>{"queued"});
  ASSERT_TRUE(store->complete(completion_of(claimed[0].lease)).value());
  EXPECT_EQ(store->get("ann", "queued")->state, State::Done);
}

TEST_F(Sqlite, AMigrationThatFailsChangesNothing) {
  { ASSERT_TRUE(SqliteJobStore::open(file_, {})); }
  const auto connection = connect();
  std::vector<std::string_view> steps(migrations().begin(), migrations().end());
  steps.push_back("CREATE TABLE half (x); CREATE TABLE jobs (there is one);");
  EXPECT_FALSE(prepare_schema(*connection, steps));
  EXPECT_EQ(connection->number("PRAGMA user_version").value(), std::ssize(migrations()));
  EXPECT_EQ(connection->number("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").value(), 0);
}

TEST_F(Sqlite, ANewerDatabaseIsLeftAlone) {
  { ASSERT_TRUE(SqliteJobStore::open(file_, {})); }
  ASSERT_TRUE(connect()->script("PRAGMA user_version = 99"));
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::Unavailable);
  EXPECT_THAT(error.message, HasSubstr("version 99"));
  EXPECT_THAT(error.hint, HasSubstr("newer lapse"));
}

TEST_F(Sqlite, AnotherProgramsDatabaseIsLeftAlone) {
  ASSERT_TRUE(connect()->script("CREATE TABLE somebodys (x)"));
  EXPECT_THAT(refused().message, HasSubstr("another program's"));
  EXPECT_EQ(connect()->number("SELECT count(*) FROM sqlite_schema").value(), 1);
}

TEST_F(Sqlite, AFileThatIsNoDatabaseIsSaidWithWhatToDo) {
  std::ofstream(file_) << std::string(8192, 'x');
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::Unavailable);
  EXPECT_THAT(error.message, HasSubstr("damaged, or no database"));
  EXPECT_THAT(error.hint, HasSubstr("backup"));
}

TEST_F(Sqlite, ADamagedDatabaseIsUnavailableAndNeverACrash) {
  std::string healthy;
  {
    const auto store = SqliteJobStore::open(file_, {}).value();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(store->submit(spec_of("ann", "job" + std::to_string(i))));
  }
  {
    std::ostringstream bytes;
    bytes << std::ifstream(file_, std::ios::binary).rdbuf();
    healthy = bytes.str();
  }
  std::vector<std::string> damages{healthy.substr(0, healthy.size() / 2), healthy.substr(0, 100), healthy};
  std::fill(damages[2].begin() + 4096, damages[2].end(), '\x5a');
  for (const std::string& damage : damages) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << damage;
    const auto store = SqliteJobStore::open(file_, {});
    const auto submitted = store ? (*store)->submit(spec_of("ann", "new")) : tl::unexpected(store.error());
    ASSERT_FALSE(submitted);
    EXPECT_EQ(submitted.error().code, ErrorCode::Unavailable) << submitted.error().message;
    EXPECT_THAT(submitted.error().hint, HasSubstr("lapse backup"));
  }
}

TEST_F(Sqlite, DamageThatWasMetOnceIsSaidFromThenOn) {
  {
    const auto store = SqliteJobStore::open(file_, {}).value();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(store->submit(spec_of("ann", "job" + std::to_string(i))));
  }
  std::ostringstream bytes;
  bytes << std::ifstream(file_, std::ios::binary).rdbuf();
  std::string damaged = bytes.str();
  constexpr std::size_t kPage = 4096;
  constexpr char kLeafOfATable = 13;  // https://www.sqlite.org/fileformat.html, section 1.6
  for (std::size_t at = kPage; at < damaged.size(); at += kPage) {
    const bool holds_jobs = damaged[at] == kLeafOfATable && damaged.substr(at, kPage).find("model") != std::string::npos &&
                            damaged.substr(at, kPage).find("job50") != std::string::npos;
    if (holds_jobs) std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(at), kPage, '\x5a');
  }
  ASSERT_NE(damaged, bytes.str());
  std::ofstream(file_, std::ios::binary | std::ios::trunc) << damaged;
  const auto store = SqliteJobStore::open(file_, {}).value();
  EXPECT_TRUE(store->healthy()) << "nobody has looked there";
  EXPECT_FALSE(store->list("ann", {}, 1000, {}));
  const auto healthy = store->healthy();
  ASSERT_FALSE(healthy);
  EXPECT_THAT(healthy.error().message, HasSubstr("is damaged"));
  EXPECT_THAT(healthy.error().hint, HasSubstr("lapse backup"));
}

TEST_F(Sqlite, AnEndThatCouldNotBeCommittedIsNotTold) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto store = SqliteJobStore::open(file_, {}).value();
  std::atomic<int> told{0};
  store->on_change([&](const JobStore::Changes& changes) { told += static_cast<int>(changes.ended.size()); });
  ASSERT_TRUE(store->submit(spec_of("ann", "one")));
  const auto claimed = store->claim({"worker", "model", {}, true, 1, 30s}).value();
  ASSERT_EQ(claimed.size(), 1u);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit bound{fs::file_size(file_ + "-wal"), before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &bound);
  EXPECT_FALSE(store->complete(completion_of(claimed[0].lease)));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(store->complete(completion_of(claimed[0].lease)).value());
  ASSERT_TRUE(store->healthy());  // behind the listener's call for that commit
  EXPECT_EQ(told, 1);
}

TEST_F(Sqlite, AFolderThatIsNotThereIsSaid) {
  const auto store = SqliteJobStore::open(folder_ / "none/jobs.sqlite", {});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(store.error().message, HasSubstr("none/jobs.sqlite"));
}

TEST_F(Sqlite, AfterAFullDiskTheNextCommitWorksAndNothingIsLost) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto store = SqliteJobStore::open(file_, {}).value();
  int acknowledged = 0;
  for (; acknowledged < 20; ++acknowledged) ASSERT_TRUE(store->submit(spec_of("ann", "job" + std::to_string(acknowledged))));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit bound{fs::file_size(file_ + "-wal") + 100'000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &bound);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const auto submitted = store->submit(spec_of("ann", "big" + std::to_string(i)));
    if (submitted) {
      ++acknowledged;
    } else {
      ++refused;
      EXPECT_EQ(submitted.error().code, ErrorCode::Unavailable);
      EXPECT_NE(submitted.error().hint, "");
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_EQ(store->healthy().has_value(), false);
  EXPECT_TRUE(store->get("ann", "job0")) << "reading goes on";
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(store->healthy());
  EXPECT_TRUE(store->submit(spec_of("ann", "after")));
  EXPECT_EQ(store->list("ann", {}, 1000, {})->jobs.size(), static_cast<std::size_t>(acknowledged) + 1);
}

TEST_F(Sqlite, AChangeThatFailsDoesNotTakeItsNeighboursWithIt) {
  auto connection = connect();
  ASSERT_TRUE(connection->script("CREATE TABLE t (x)"));
  CommitQueue queue{std::move(connection)};
  std::vector<std::thread> threads;
  std::atomic<int> kept{0};
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&, i] {
      const auto ran = queue.run([&](Connection& inside) { return inside.run("INSERT INTO t VALUES (?1)", i).has_value() && i % 3 != 0; },
                                 Durability::Synced);
      if (ran && i % 3 != 0) ++kept;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto look = connect();
  EXPECT_EQ(look->number("SELECT count(*) FROM t").value(), kept.load());
  EXPECT_EQ(look->number("SELECT count(*) FROM t WHERE x % 3 = 0").value(), 0);
}

TEST_F(Sqlite, TheLogStaysBoundedUnderLoadAndTheDatabaseDoesNotGrowForEver) {
  FakeClock clock;
  Limits limits;
  limits.retention = 1h;
  limits.tombstone = 2h;
  const auto store = SqliteJobStore::open(file_, limits, clock.clock()).value();
  std::uintmax_t settled = 0, largest_log = 0;
  for (int hour = 0; hour < 24; ++hour) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 25; ++i) {
          const std::string owner = "session" + std::to_string(hour * 4 + t);
          ASSERT_TRUE(store->submit(spec_of(owner, "job" + std::to_string(i))));
          const auto claimed = store->claim({"worker", "model", {}, true, 2, 30s}).value();
          for (const Claimed& one : claimed) ASSERT_TRUE(store->complete(completion_of(one.lease)));
          ASSERT_TRUE(store->list(owner, {}, 10, {}));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    largest_log = std::max(largest_log, fs::file_size(file_ + "-wal"));
    clock.forward(1h);
    ASSERT_TRUE(store->sweep(10'000));
    if (hour == 11) settled = fs::file_size(file_);
  }
  EXPECT_LT(largest_log, 8u << 20);
  EXPECT_LE(fs::file_size(file_), settled + settled / 4);
  clock.forward(24h);
  ASSERT_TRUE(store->sweep(100'000));
  ASSERT_TRUE(store->sweep(100'000));
  const auto look = connect();
  for (const char* table : {"jobs", "tombstones", "blob_uses", "events", "owners", "turns", "notices"}) {
    EXPECT_EQ(look->number("SELECT count(*) FROM " + std::string(table)).value(), 0) << table;
  }
}

TEST_F(Sqlite, ABackupUnderLoadIsWholeAndOverwritesNothing) {
  const auto store = SqliteJobStore::open(file_, {}).value();
  std::atomic<bool> ended{false};
  std::thread load{[&] {
    for (int i = 0; !ended; ++i) {
      ASSERT_TRUE(store->submit(spec_of("ann", "job" + std::to_string(i))));
      ASSERT_TRUE(store->claim({"worker", "model", {}, true, 1, 30s}));
    }
  }};
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store->submit(spec_of("bob", "before" + std::to_string(i))));
    const std::string copy = folder_ / ("copy" + std::to_string(i));
    const auto made = store->backup(copy);
    ASSERT_TRUE(made) << made.error().message;
    const auto opened = SqliteJobStore::open(copy, {}).value();
    EXPECT_TRUE(opened->get("bob", "before" + std::to_string(i)));
    EXPECT_TRUE(opened->submit(spec_of("bob", "more")));
    EXPECT_EQ(store->backup(copy).error().code, ErrorCode::BadUse);
  }
  ended = true;
  load.join();
}

class DataBackup : public testing::Test {
 protected:
  void SetUp() override {
    Child child{{"work", data_, "round", "1"}};
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(child.line());
  }
  /// Every blob that the backup's jobs need is in it, whole.
  void check(const std::string& backup) {
    const auto store = SqliteJobStore::open(DataFolder::database(backup), {}).value();
    const auto blobs = FolderBlobStore::open(DataFolder::blobs(backup)).value();
    ASSERT_TRUE(store->recover());
    int jobs = 0;
    for (const std::string& owner : {std::string{"ann"}, std::string{"bob"}}) {
      const Page page = store->list(owner, {}, 100'000, {}).value();
      for (const Job& job : page.jobs) {
        EXPECT_EQ(blobs->read(job.spec.input.blob.id).value_or("lost"), "input of " + job.spec.id);
        if (job.result) {
          EXPECT_EQ(blobs->read(job.result->blob.id).value_or("lost"), "result of " + job.spec.id);
        }
        ++jobs;
      }
    }
    EXPECT_GT(jobs, 10);
  }
  Folder folder_;
  const std::string data_ = folder_ / "data";
};

TEST_F(DataBackup, AWholeDataFolderIsCopiedWhileAServerWorksInIt) {
  Child server{{"work", data_, "later", "2"}};
  ASSERT_TRUE(server.line());
  std::ofstream(data_ + "/secret") << "key";
  const auto made = backup_folder(data_, folder_ / "backup");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(server.line()) << "it goes on";
  EXPECT_GT(made->blobs, 10u);
  check(folder_ / "backup");
  std::string key;
  std::ifstream(folder_ / "backup/secret") >> key;
  EXPECT_EQ(key, "key") << "cookies and webhooks are good for the copy, too";
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "backup/secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(DataBackup, ABackupOverwritesNothingAndWantsADataFolder) {
  fs::create_directory(folder_ / "there");
  EXPECT_EQ(backup_folder(data_, folder_ / "there").error().code, ErrorCode::BadUse);
  EXPECT_EQ(backup_folder(folder_ / "there", folder_ / "backup").error().code, ErrorCode::BadInput);
  EXPECT_FALSE(fs::exists(folder_ / "backup"));
  EXPECT_TRUE(fs::is_empty(folder_ / "there"));
}

TEST_F(DataBackup, AcrossFileSystemsBlobsAreCopied) {
  struct stat here {
  }, there{};
  ASSERT_EQ(::stat(folder_.path().c_str(), &here), 0);
  if (::stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev) GTEST_SKIP() << "there is only one file system";
  std::string other = "/dev/shm/lapse-backup-XXXXXX";
  ASSERT_NE(mkdtemp(other.data()), nullptr);
  const auto made = backup_folder(data_, other + "/backup");
  EXPECT_TRUE(made) << made.error().message;
  check(other + "/backup");
  fs::remove_all(other);
}

}  // namespace
}  // namespace lapse::jobs
