#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <lapse/jobs/folder_blob_store.hpp>
#include <optional>

namespace lapse::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLarge = 128 * 1024;  // bytes

unsigned first_byte(const BlobId& id) {
  unsigned value = 0;
  std::from_chars(id.hex.data(), id.hex.data() + 2, value, 16);
  return value;
}

/// False: somebody has it, and `operation` says not to wait.
Result<bool> lock(const File& file, int operation, const std::string& path) {
  while (::flock(*file, operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return tl::unexpected(disk_error("locked", path, errno));
  }
  return true;
}

bool older_than(const struct stat& status, Duration age) {
  const auto modified = std::chrono::seconds{status.st_mtim.tv_sec} + std::chrono::nanoseconds{status.st_mtim.tv_nsec};
  return std::chrono::system_clock::now().time_since_epoch() - modified >= age;
}

// Sub-folders that are made in it from now on lie far from each other. A wish: file systems that know nothing of it say no.
void spread(const std::string& folder) {
  const File file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  int flags = 0;
  if (!file || ::ioctl(*file, FS_IOC_GETFLAGS, &flags) != 0) return;
  flags |= FS_TOPDIR_FL;
  static_cast<void>(::ioctl(*file, FS_IOC_SETFLAGS, &flags));
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::span<const std::byte> bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  BlobId id() {
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    BlobId id;
    for (const unsigned char byte : digest) fmt::format_to(std::back_inserter(id.hex), "{:02x}", byte);
    return id;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

class Reader final : public BlobReader {
 public:
  Reader(File file, std::uint64_t size, std::string path) : file_(std::move(file)), size_(size), path_(std::move(path)) {}
  std::uint64_t size() const noexcept override { return size_; }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> bytes) const override {
    std::size_t got = 0;
    while (got < bytes.size() && offset + got < size_) {
      const ssize_t count = ::pread(*file_, bytes.data() + got, bytes.size() - got, static_cast<off_t>(offset + got));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return tl::unexpected(disk_error("read", path_, errno));
      if (count == 0) break;
      got += static_cast<std::size_t>(count);
    }
    return got;
  }

 private:
  const File file_;
  const std::uint64_t size_;
  const std::string path_;
};

}  // namespace

class FolderBlobStore::Writer final : public BlobWriter {
 public:
  explicit Writer(FolderBlobStore& store) : store_(store) {}
  ~Writer() override {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  Result<void> open() {
    path_ = store_.tray(store_.next_tray_++ % kTrays) + "/XXXXXX";
    file_ = File{::mkostemp(path_.data(), O_CLOEXEC)};
    if (!file_) return tl::unexpected(disk_error("written", std::exchange(path_, {}), errno));
    return lock(file_, LOCK_EX, path_).map([](bool) {});
  }

  Result<void> append(std::span<const std::byte> bytes) override {
    if (failure_) return tl::unexpected(*failure_);
    hash_.add(bytes);
    size_ += bytes.size();
    auto written = store_.check_room(bytes.size());
    if (written) written = write_all(file_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path_);
    if (!written) failure_ = written.error();
    return written;
  }

  Result<Blob> finish() override {
    if (failure_) return tl::unexpected(*failure_);
    Blob blob{hash_.id(), size_};
    LAPSE_TRY(const bool moved, store_.shelve(blob, file_, path_));
    if (moved) path_.clear();
    // Also for one that was there: whoever renamed it may not have come as far as this.
    LAPSE_CHECK(store_.shelves_[first_byte(blob.id)]->sync());
    return blob;
  }

 private:
  FolderBlobStore& store_;
  std::string path_;  // empty: nothing to take away
  File file_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
  std::optional<Error> failure_;
};

FolderBlobStore::FolderBlobStore(const std::string& folder) : folder_(folder) {
  for (unsigned i = 0; i < shelves_.size(); ++i) shelves_[i] = std::make_unique<FolderSync>(shelf(i));
}

std::string FolderBlobStore::shelf(unsigned first) const { return fmt::format("{}/{:02x}", folder_, first); }

std::string FolderBlobStore::tray(unsigned number) const { return fmt::format("{}/incoming/{:02}", folder_, number); }

std::string FolderBlobStore::path(const BlobId& id) const { return fmt::format("{}/{}/{}", folder_, id.hex.substr(0, 2), id.hex); }

Result<std::unique_ptr<FolderBlobStore>> FolderBlobStore::open(const std::string& folder) {
  std::unique_ptr<FolderBlobStore> store{new FolderBlobStore(folder)};
  LAPSE_CHECK(make_folder(folder));
  LAPSE_CHECK(open_file(folder + "/keep", O_RDWR | O_CREAT));
  const auto make = [](const std::string& path) -> Result<void> {
    if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) return tl::unexpected(disk_error("made", path, errno));
    return {};
  };
  LAPSE_CHECK(make(folder + "/incoming"));
  spread(folder + "/incoming");
  for (unsigned i = 0; i < kTrays; ++i) LAPSE_CHECK(make(store->tray(i)));
  for (unsigned i = 0; i < store->shelves_.size(); ++i) {
    LAPSE_CHECK(make(store->shelf(i)));
    LAPSE_CHECK(store->shelves_[i]->open());
  }
  // Even if all were there: whoever made them may have died before this.
  LAPSE_CHECK(sync_path(folder));
  return store;
}

Result<std::unique_ptr<BlobWriter>> FolderBlobStore::create() {
  auto writer = std::make_unique<Writer>(*this);
  LAPSE_CHECK(writer->open());
  return writer;
}

Result<Blob> FolderBlobStore::put(std::span<const std::byte> bytes) {
  LAPSE_TRY(const auto writer, create());
  LAPSE_CHECK(writer->append(bytes));
  return writer->finish();
}

Result<void> FolderBlobStore::check_room(std::uint64_t bytes) const {
  LAPSE_TRY(const Usage now, usage());
  if (now.free_bytes >= kReserve && now.free_bytes - kReserve >= bytes) return {};
  return fail(
      ErrorCode::Unavailable,
      fmt::format("{} can't take {} bytes more: the disk is full but for {} MiB, which are the database's", folder_, bytes, kReserve >> 20),
      "free some disk space, or delete jobs");
}

Result<bool> FolderBlobStore::shelve(const Blob& blob, const File& file, const std::string& written) {
  const std::string target = path(blob.id);
  const std::string folder = shelf(first_byte(blob.id));
  const auto is_there = [&] {
    struct stat status {};
    return ::stat(target.c_str(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) == blob.size;
  };
  LAPSE_TRY(File door, open_file(folder, O_RDONLY | O_DIRECTORY));
  LAPSE_CHECK(lock(door, LOCK_SH, folder));
  if (is_there() && ::utimensat(AT_FDCWD, target.c_str(), nullptr, 0) == 0) return false;
  if (::flock(*door, LOCK_UN) != 0) return tl::unexpected(disk_error("unlocked", folder, errno));
  if (::fdatasync(*file) != 0) return tl::unexpected(disk_error("made durable", written, errno));
  // Its pages of memory go to the next one: to be given new pages each time costs more than to read it from the disk once, when its turn
  // comes.
  if (blob.size >= kLarge) ::posix_fadvise(*file, 0, 0, POSIX_FADV_DONTNEED);
  // Over one of the same name too: it has the same bytes, or is damaged and healed by this.
  LAPSE_CHECK(lock(door, LOCK_SH, folder));
  if (::futimens(*file, nullptr) != 0 || ::rename(written.c_str(), target.c_str()) != 0) {
    return tl::unexpected(disk_error("stored", target, errno));
  }
  return true;
}

Result<std::unique_ptr<BlobReader>> FolderBlobStore::open(const BlobId& id) const {
  const auto sound = parse_blob_id(id.hex);
  if (!sound) return tl::unexpected(sound.error());
  const std::string name = path(id);
  File file{::open(name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == ENOENT) return fail(ErrorCode::NotFound, fmt::format("there is no blob {}", id.hex));
  struct stat status {};
  if (!file || ::fstat(*file, &status) != 0) return tl::unexpected(disk_error("read", name, errno));
  return std::make_unique<Reader>(std::move(file), static_cast<std::uint64_t>(status.st_size), name);
}

Result<fs::path> FolderBlobStore::local_file(const BlobId& id) const {
  LAPSE_CHECK(parse_blob_id(id.hex));
  const std::string name = path(id);
  if (::access(name.c_str(), R_OK) == 0) return name;
  if (errno == ENOENT) return fail(ErrorCode::NotFound, fmt::format("there is no blob {}", id.hex));
  return tl::unexpected(disk_error("read", name, errno));
}

Result<void> FolderBlobStore::remove(const BlobId& id, Duration grace, const Referenced& referenced, Collected& collected) {
  const std::string name = path(id), folder = shelf(first_byte(id));
  LAPSE_TRY(const File door, open_file(folder, O_RDONLY | O_DIRECTORY));
  LAPSE_CHECK(lock(door, LOCK_EX, folder));
  struct stat status {};
  if (::stat(name.c_str(), &status) != 0 || !older_than(status, grace)) return {};
  LAPSE_TRY(const bool needed, referenced(id));
  if (needed) return {};
  // Not fsynced: a blob that comes back after a power cut is litter once more.
  if (::unlink(name.c_str()) != 0) return tl::unexpected(disk_error("deleted", name, errno));
  ++collected.blobs;
  collected.bytes += static_cast<std::uint64_t>(status.st_size);
  return {};
}

Result<Collected> FolderBlobStore::remove_unreferenced(std::span<const BlobId> ids, Duration grace, const Referenced& referenced) {
  Collected collected;
  const std::string keep = folder_ + "/keep";
  LAPSE_TRY(const File keeper, open_file(keep, O_RDWR | O_CREAT));
  LAPSE_TRY(const bool allowed, lock(keeper, LOCK_SH | LOCK_NB, keep));
  if (!allowed) return collected;
  for (const BlobId& id : ids) {
    LAPSE_CHECK(parse_blob_id(id.hex));
    LAPSE_CHECK(remove(id, grace, referenced, collected));
  }
  return collected;
}

Result<Collected> FolderBlobStore::collect(Duration grace, const Referenced& referenced) {
  Collected collected;
  for (unsigned i = 0; i < shelves_.size(); ++i) {
    std::vector<BlobId> ids;
    std::error_code problem;
    for (fs::directory_iterator entry{shelf(i), problem}, end; !problem && entry != end; entry.increment(problem)) {
      if (auto id = parse_blob_id(entry->path().filename().string())) ids.push_back(std::move(*id));
    }
    if (problem) return tl::unexpected(disk_error("listed", shelf(i), problem.value()));
    LAPSE_TRY(const Collected here, remove_unreferenced(ids, grace, referenced));
    collected.blobs += here.blobs;
    collected.bytes += here.bytes;
  }
  for (unsigned i = 0; i < kTrays; ++i) LAPSE_CHECK(collect_tray(tray(i), grace, collected));
  return collected;
}

Result<void> FolderBlobStore::collect_tray(const std::string& tray, Duration grace, Collected& collected) {
  std::error_code problem;
  for (fs::directory_iterator entry{tray, problem}, end; !problem && entry != end; entry.increment(problem)) {
    const std::string name = entry->path().string();
    const File file{::open(name.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status {};
    if (!file || ::fstat(*file, &status) != 0 || !older_than(status, grace)) continue;
    // A living writer has it locked.
    LAPSE_TRY(const bool dead, lock(file, LOCK_EX | LOCK_NB, name));
    if (!dead || ::unlink(name.c_str()) != 0) continue;
    ++collected.blobs;
    collected.bytes += static_cast<std::uint64_t>(status.st_size);
  }
  if (problem) return tl::unexpected(disk_error("listed", tray, problem.value()));
  return {};
}

Result<BlobStore::Usage> FolderBlobStore::usage() const {
  struct statvfs status {};
  if (::statvfs(folder_.c_str(), &status) != 0) return tl::unexpected(disk_error("used", folder_, errno));
  return Usage{static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize};
}

Result<File> FolderBlobStore::hold() const {
  const std::string keep = folder_ + "/keep";
  LAPSE_TRY(File keeper, open_file(keep, O_RDWR | O_CREAT));
  LAPSE_CHECK(lock(keeper, LOCK_EX, keep));
  return keeper;
}

}  // namespace lapse::jobs
