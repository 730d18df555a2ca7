#pragma once
// Copies that can be put in the place of what they were made from, made while the server works.

#include <cstdint>
#include <lapse/base/error.hpp>
#include <string>

namespace lapse::jobs {

/// A consistent, durable copy of the database, from any process. Errors: BadUse (`to` is there already), Unavailable.
Result<void> backup_database(const std::string& from, const std::string& to);

struct BackupSize {
  std::size_t blobs = 0;
  std::uint64_t bytes = 0;
};

/// The data folder `from` as it is at one moment: the database, and every blob that a job in it refers to, linked where `to` is on the
/// same file system and copied elsewhere; and what tokens and cookies are told by. No blob is deleted meanwhile. The database comes last
/// under its name, so a copy that was broken off can't be mistaken for one. Errors: BadUse (`to` is there already), BadInput (`from` is no
/// data folder), Unavailable.
Result<BackupSize> backup_folder(const std::string& from, const std::string& to);

}  // namespace lapse::jobs
