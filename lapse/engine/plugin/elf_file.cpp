#include <lapse/engine/plugin/elf_file.hpp>

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <fstream>

namespace lapse::plugin {

ElfKind elf_kind(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return ElfKind::Unreadable;
  const auto size = static_cast<std::uint64_t>(file.tellg());
  const auto read = [&](std::uint64_t offset, auto& into) {
    file.seekg(static_cast<std::streamoff>(offset));
    return static_cast<bool>(file.read(reinterpret_cast<char*>(&into), sizeof into));
  };
  ElfW(Ehdr) header{};
  if (!read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_DYN) return ElfKind::NotElf;
  if (header.e_ident[EI_CLASS] != (__ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32)) return ElfKind::Whole;
  // The table of sections comes last in a file; one that was taken away on purpose is at 0.
  if (header.e_shoff > size || std::uint64_t{header.e_shnum} * header.e_shentsize > size - header.e_shoff) return ElfKind::Truncated;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment{};
    if (!read(header.e_phoff + i * header.e_phentsize, segment)) return ElfKind::Truncated;
    if (segment.p_type == PT_LOAD && (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)) return ElfKind::Truncated;
  }
  return ElfKind::Whole;
}

}  // namespace lapse::plugin
