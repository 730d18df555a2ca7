#include <elf.h>
#include <link.h>

#include <cstring>
#include <fstream>
#include <lapse/engine/elf_symbols.hpp>

namespace lapse::engine {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) : file_(path, std::ios::binary | std::ios::ate) {
    if (file_) size_ = static_cast<std::uint64_t>(file_.tellg());
  }

  // `count` items at `offset`; none where the file does not reach so far.
  template <class T>
  std::vector<T> read(std::uint64_t offset, std::uint64_t count) {
    if (offset > size_ || count > (size_ - offset) / sizeof(T)) return {};
    std::vector<T> items(count);
    file_.seekg(static_cast<std::streamoff>(offset));
    if (!file_.read(reinterpret_cast<char*>(items.data()), static_cast<std::streamsize>(count * sizeof(T)))) return {};
    return items;
  }

 private:
  std::ifstream file_;
  std::uint64_t size_ = 0;
};

constexpr unsigned char kNativeClass = __ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32;

bool is_exported(const ElfW(Sym) & symbol) {
  const int binding = ELF64_ST_BIND(symbol.st_info);  // the same bits in both word sizes
  const int visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

}  // namespace

std::vector<ElfSymbol> exported_symbols(const std::string& path) {
  Reader file(path);
  const auto headers = file.read<ElfW(Ehdr)>(0, 1);
  if (headers.empty() || std::memcmp(headers[0].e_ident, ELFMAG, SELFMAG) != 0 || headers[0].e_ident[EI_CLASS] != kNativeClass ||
      headers[0].e_shentsize != sizeof(ElfW(Shdr))) {
    return {};
  }
  const auto sections = file.read<ElfW(Shdr)>(headers[0].e_shoff, headers[0].e_shnum);
  std::vector<ElfSymbol> result;
  for (const auto& section : sections) {
    if (section.sh_type != SHT_DYNSYM || section.sh_link >= sections.size()) continue;
    auto names = file.read<char>(sections[section.sh_link].sh_offset, sections[section.sh_link].sh_size);
    names.push_back('\0');  // so that no name runs beyond its table
    for (const auto& symbol : file.read<ElfW(Sym)>(section.sh_offset, section.sh_size / sizeof(ElfW(Sym)))) {
      if (!is_exported(symbol) || symbol.st_name >= names.size()) continue;
      result.push_back({names.data() + symbol.st_name, ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT, symbol.st_size});
    }
  }
  return result;
}

}  // namespace lapse::engine
