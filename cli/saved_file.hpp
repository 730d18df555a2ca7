#pragma once
// A file that lapse saved earlier.

#include <lapse/base/error.hpp>
#include <string>

namespace lapse::cli {

/// All of it. Error: BadInput, when it is no file or pipe that can be read.
Result<std::string> read_saved(const std::string& path);

}  // namespace lapse::cli
