#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <lapse/jobs/backup.hpp>
#include <lapse/jobs/data_folder.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <lapse/jobs/schema.hpp>
#include <vector>

namespace lapse::jobs {
namespace {

bool is_there(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

Result<void> check_new(const std::string& path) {
  if (!is_there(path)) return {};
  return fail(ErrorCode::BadUse, fmt::format("{} is there already", path), "a backup overwrites nothing: give a new name");
}

std::string folder_of(const std::string& path) {
  const std::string above = std::filesystem::path(path).parent_path().string();
  return above.empty() ? "." : above;
}

Result<void> store(const std::string& bytes, const std::string& to) {
  LAPSE_TRY(const File file, open_file(to, O_WRONLY | O_CREAT | O_EXCL));
  LAPSE_CHECK(write_all(file, bytes, to));
  if (::fsync(*file) != 0) return tl::unexpected(disk_error("made durable", to, errno));
  return {};
}

Result<void> copy(const FolderBlobStore& blobs, const BlobId& id, const std::string& to) {
  LAPSE_TRY(const std::string bytes, blobs.read(id));
  return store(bytes, to);
}

Result<void> copy_keys(const std::string& from, const std::string& to) {
  for (const char* key : DataFolder::kKeys) {
    const std::string source = fmt::format("{}/{}", from, key);
    if (!is_there(source)) continue;
    std::ifstream in{source, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    if (!in.is_open() || in.bad()) return tl::unexpected(disk_error("read", source, errno));
    LAPSE_CHECK(store(bytes, fmt::format("{}/{}", to, key)));
  }
  return {};
}

Result<void> link_or_copy(const FolderBlobStore& blobs, const BlobId& id, const std::string& to) {
  if (::link(blobs.path(id).c_str(), to.c_str()) == 0) return {};
  switch (errno) {
    case EXDEV:
    case EPERM:
    case EMLINK:
    case EOPNOTSUPP:
      return copy(blobs, id, to);
    case ENOENT:
      return fail(ErrorCode::Unavailable, fmt::format("blob {} is missing, although a job refers to it", id.hex),
                  "the disk may have failed");
    default:
      return tl::unexpected(disk_error("written", to, errno));
  }
}

Result<std::vector<BlobId>> referenced_blobs(sqlite::Connection& database) {
  std::vector<BlobId> blobs;
  LAPSE_TRY(auto query, database.query("SELECT DISTINCT blob FROM blob_uses ORDER BY blob"));
  while (true) {
    LAPSE_TRY(const bool found, query.next());
    if (!found) return blobs;
    LAPSE_TRY(auto id, parse_blob_id(query.text()));
    blobs.push_back(std::move(id));
  }
}

}  // namespace

Result<void> backup_database(const std::string& from, const std::string& to) {
  LAPSE_CHECK(check_new(to));
  LAPSE_TRY(const auto source, sqlite::Connection::open(from, sqlite::Connection::Mode::Read));
  LAPSE_CHECK(check_schema(*source));
  LAPSE_CHECK(source->script("PRAGMA query_only = 0"));  // VACUUM counts as writing, though it is the copy that is written
  LAPSE_CHECK(source->run("VACUUM INTO ?1", to));
  LAPSE_CHECK(sync_path(to));
  return sync_path(folder_of(to));
}

Result<BackupSize> backup_folder(const std::string& from, const std::string& to) {
  LAPSE_CHECK(check_new(to));
  const std::string database = DataFolder::database(from);
  if (!is_there(database)) return fail(ErrorCode::BadInput, fmt::format("{} is no data folder: it has no {}", from, database));
  LAPSE_TRY(const auto blobs, FolderBlobStore::open(DataFolder::blobs(from)));
  LAPSE_TRY(const File held, blobs->hold());  // before the database is copied: what it refers to then stays

  const std::string target = DataFolder::database(to), unfinished = target + ".unfinished";
  LAPSE_CHECK(make_folder(to));
  LAPSE_CHECK(backup_database(database, unfinished));
  LAPSE_TRY(const auto copied, FolderBlobStore::open(DataFolder::blobs(to)));
  BackupSize size;
  {
    LAPSE_TRY(const auto snapshot, sqlite::Connection::open(unfinished, sqlite::Connection::Mode::Read));
    LAPSE_TRY(const auto needed, referenced_blobs(*snapshot));
    for (const BlobId& blob : needed) {
      LAPSE_CHECK(link_or_copy(*blobs, blob, copied->path(blob)));
      LAPSE_TRY(const auto reader, copied->open(blob));
      ++size.blobs;
      size.bytes += reader->size();
    }
  }
  LAPSE_CHECK(copy_keys(from, to));
  for (int first = 0; first < 256; ++first) LAPSE_CHECK(sync_path(fmt::format("{}/{:02x}", DataFolder::blobs(to), first)));
  if (std::rename(unfinished.c_str(), target.c_str()) != 0) return tl::unexpected(disk_error("made", target, errno));
  LAPSE_CHECK(sync_path(to));
  return size;
}

}  // namespace lapse::jobs
