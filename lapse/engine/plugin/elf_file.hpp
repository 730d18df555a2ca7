#pragma once

#include <string>

namespace lapse::plugin {

enum class ElfKind { Whole, Truncated, NotElf, Unreadable };

/// Whether a file can be mapped as a shared library. The dynamic loader does not ask: it dies of SIGBUS on one whose end is missing.
/// A whole one may still be for another machine; that the loader says.
ElfKind elf_kind(const std::string& path);

}  // namespace lapse::plugin
