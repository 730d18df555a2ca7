#pragma once
// Blobs as files of one machine, for several processes at once.
//
//   FOLDER/incoming/07/…   being written; each locked (flock) by its writer, so that what a dead one left can be told
//   FOLDER/ab/abcd…        a blob under its SHA-256, in the sub-folder of its first two digits
//   FOLDER/keep            lock: deletions share it, a backup has it alone (hold)
//
// A blob is written to incoming/, fsynced, renamed, and its sub-folder is fsynced. Nobody ever writes to it again.
// Put and deletion exclude each other by a lock on the sub-folder: put touches or renames under the shared one, deletion asks and unlinks
// under the exclusive one. So a blob that was put is either new (`grace` protects it) or gone before put looked.
// The last kReserve bytes of the disk are not for blobs: the database needs them to cancel and delete jobs, and so to make room.

#include <array>
#include <atomic>
#include <lapse/jobs/blob_store.hpp>
#include <lapse/jobs/disk.hpp>
#include <lapse/jobs/folder_sync.hpp>

namespace lapse::jobs {

class FolderBlobStore final : public BlobStore {
 public:
  static constexpr std::uint64_t kReserve = 8u << 20;  // twice what the database's log grows to

  /// Makes the folder if it is not there. Error: Unavailable.
  static Result<std::unique_ptr<FolderBlobStore>> open(const std::string& folder);

  Result<std::unique_ptr<BlobWriter>> create() override;
  Result<Blob> put(std::span<const std::byte> bytes) override;
  Result<std::unique_ptr<BlobReader>> open(const BlobId& id) const override;
  Result<std::filesystem::path> local_file(const BlobId& id) const override;
  Result<Collected> remove_unreferenced(std::span<const BlobId> ids, Duration grace, const Referenced& referenced) override;
  Result<Collected> collect(Duration grace, const Referenced& referenced) override;
  Result<Usage> usage() const override;

  /// Where a blob lies, for backups.
  std::string path(const BlobId& id) const;
  /// While it lives no process deletes a blob: remove_unreferenced and collect do nothing.
  Result<File> hold() const;

 private:
  class Writer;
  explicit FolderBlobStore(const std::string& folder);
  std::string shelf(unsigned first) const;
  Result<void> check_room(std::uint64_t bytes) const;
  /// Brings a written file in under its name; true: it has been moved, false: there was one already.
  Result<bool> shelve(const Blob& blob, const File& file, const std::string& written);
  Result<void> remove(const BlobId& id, Duration grace, const Referenced& referenced, Collected& collected);
  std::string tray(unsigned number) const;
  Result<void> collect_tray(const std::string& tray, Duration grace, Collected& collected);

  static constexpr unsigned kTrays = 64;
  const std::string folder_;
  std::atomic<unsigned> next_tray_{0};
  std::array<std::unique_ptr<FolderSync>, 256> shelves_;
};

}  // namespace lapse::jobs
