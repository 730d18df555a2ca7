#pragma once
// A command line within one word of another: --a "'my model.onnx' --threads 1".

#include <lapse/base/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::cli {

/// The words of it, as a POSIX shell has them: blanks part them, '…' is taken as it stands, in "…" and outside \ takes the meaning from
/// what follows. Nothing is expanded. Error: BadUse for a quotation without an end, or no word at all.
Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace lapse::cli
