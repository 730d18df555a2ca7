#pragma once

#include <cstddef>
#include <string>

namespace lapse::plugin {

/// What can be known of a model file before the engine sees it: throws Failure(BAD_MODEL) when there is none, when it can't be read, is
/// empty, or is the pointer that Git LFS leaves in place of a file. Returns its first bytes, at most 512.
std::string open_model_file(const std::string& path);

}  // namespace lapse::plugin
