#pragma once
// A whole file in memory, for the readers of this floor. Not installed.

#include <cstddef>
#include <filesystem>
#include <lapse/base/error.hpp>
#include <vector>

namespace lapse::tensor {

/// Regular files only: a pipe or a device may never end.
/// Errors: BadInput (absent, not a regular file, unreadable), OutOfMemory.
Result<std::vector<std::byte>> read_file(const std::filesystem::path& path);

/// Puts the path before the message, so that a reader of bytes need not know where they came from.
Error in_file(const std::filesystem::path& path, Error error);

}  // namespace lapse::tensor
