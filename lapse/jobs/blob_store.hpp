#pragma once
// Bytes that are never lost and never changed: stored under the SHA-256 of their content, so the same bytes are stored once.
//
// Order of an acknowledgement: blob durable → job durable (JobStore::submit) → 202. A blob that no job refers to is litter, which
// collect() takes away; it never takes one that was put within `grace`, because its job may be on the way.
//
// Implementations: FolderBlobStore (one machine, several processes); a shared folder or an S3 bucket for many machines.
// Threads: every function may be called from any thread, and from several processes at once. All of them block on the disk.
// Errors: NotFound; Unavailable (full disk, read-only folder, any other I/O error), with the system's reason.

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::jobs {

/// SHA-256 of the content, 64 lower-case hexadecimal digits.
struct BlobId {
  std::string hex;
  auto operator<=>(const BlobId&) const = default;
  bool empty() const noexcept { return hex.empty(); }
};

/// Error: BadInput for anything but 64 lower-case hexadecimal digits (so that no path can be made of it).
Result<BlobId> parse_blob_id(std::string_view text);

struct Blob {
  BlobId id;
  std::uint64_t size = 0;  // bytes
};

/// One blob on its way in. Destroyed before finish(), it leaves nothing behind. One thread at a time.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual Result<void> append(std::span<const std::byte> bytes) = 0;
  /// Durable under its id when this returns. To be called once.
  virtual Result<Blob> finish() = 0;
};

/// One blob, open for reading. Any number of threads. Stays readable even if the blob is deleted meanwhile.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual std::uint64_t size() const noexcept = 0;
  /// Up to bytes.size() bytes from `offset`; fewer only at the end.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> bytes) const = 0;
};

struct Collected {
  std::size_t blobs = 0;
  std::uint64_t bytes = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  virtual Result<std::unique_ptr<BlobWriter>> create() = 0;
  /// create, append, finish in one. A blob that is there already is only touched, so that collect() sees it as new.
  virtual Result<Blob> put(std::span<const std::byte> bytes) = 0;
  virtual Result<std::unique_ptr<BlobReader>> open(const BlobId& id) const = 0;
  /// The whole blob. Error: TooLarge above `limit`.
  Result<std::string> read(const BlobId& id, std::uint64_t limit = UINT64_MAX) const;

  /// A file of this machine with the blob's bytes, for libraries that want one: to be read only, and only while a job refers to the blob. A
  /// store elsewhere has to fetch it first.
  virtual Result<std::filesystem::path> local_file(const BlobId& id) const = 0;

  using Referenced = std::function<Result<bool>(const BlobId&)>;
  /// Deletes those of `ids` that were last put more than `grace` ago and to which `referenced` says no. No put of the same blob can slip
  /// in between the question and the deletion.
  virtual Result<Collected> remove_unreferenced(std::span<const BlobId> ids, Duration grace, const Referenced& referenced) = 0;
  /// The same for every blob there is, and for what dead writers left behind.
  virtual Result<Collected> collect(Duration grace, const Referenced& referenced) = 0;

  struct Usage {
    std::uint64_t free_bytes = 0;  // what can still be stored
  };
  virtual Result<Usage> usage() const = 0;
};

}  // namespace lapse::jobs
