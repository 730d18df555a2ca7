#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <lapse/engine/elf_symbols.hpp>
#include <lapse/engine/plugin/elf_file.hpp>
#include <lapse/engine/plugin/failure.hpp>
#include <lapse/engine/plugin/model_file.hpp>
#include <lapse/engine/subject_library.hpp>
#include <span>
#include <vector>

namespace lapse::engine {
namespace {

using plugin::Failure;

constexpr std::size_t kMostNames = 8;  // more of them don't fit into a line
constexpr const char* kHowToDefine = "define one with LAPSE_SUBJECT(name) = {…} (lapse/engine/subject.h)";

// Behind ".so": nothing, a colon, or the numbers of a version and then one of those. Returns how far the file's name goes.
std::optional<std::size_t> end_of_file_name(std::string_view text, std::size_t end) {
  while (end + 1 < text.size() && text[end] == '.' && text[end + 1] >= '0' && text[end + 1] <= '9') {
    end = std::min(text.find_first_not_of("0123456789", end + 1), text.size());
  }
  if (end < text.size() && text[end] != ':') return std::nullopt;
  return end;
}

void* load(const std::string& file) {
  try {
    plugin::open_model_file(file);
  } catch (const Failure& failure) {
    throw Failure(failure.status(), failure.what(), "give the path of a shared library and the name of a subject: ./libmine.so:SYMBOL");
  }
  switch (plugin::elf_kind(file)) {
    case plugin::ElfKind::Truncated:
      throw Failure(LAPSE_BAD_MODEL, file + " is damaged: its end is missing", "build it or copy it again");
    case plugin::ElfKind::NotElf:
    case plugin::ElfKind::Unreadable:
      throw Failure(LAPSE_BAD_MODEL, file + " is not a shared library", "link it with -shared");
    case plugin::ElfKind::Whole:
      break;
  }
  void* library = dlopen(std::filesystem::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  throw Failure(LAPSE_ENGINE_UNUSABLE, fmt::format("{} can't be loaded: {}", file, dlerror()),
                "it must be linked with -shared; `ldd -r` lists the libraries and symbols that it lacks (LD_LIBRARY_PATH)");
}

const lapse_subject* table_at(void* library, const ElfSymbol& symbol) {
  return static_cast<const lapse_subject*>(dlsym(library, symbol.name.c_str()));
}

bool large_enough(const ElfSymbol& symbol) { return symbol.is_data && symbol.bytes >= sizeof(lapse_subject); }

// Something of another kind may have the size of a table, but hardly its first two members.
bool has_our_head(const lapse_subject* table) {
  return table != nullptr && table->abi_version == LAPSE_SUBJECT_ABI_VERSION && table->struct_size >= sizeof(lapse_subject);
}

std::vector<std::string> subjects_of(void* library, const std::vector<ElfSymbol>& symbols) {
  std::vector<std::string> names;
  for (const ElfSymbol& symbol : symbols) {
    if (large_enough(symbol) && has_our_head(table_at(library, symbol))) names.push_back(symbol.name);
  }
  std::ranges::sort(names);
  return names;
}

std::string list(const std::vector<std::string>& names) {
  const auto shown = std::span(names).first(std::min(names.size(), kMostNames));
  return names.size() > shown.size() ? fmt::format("{} and {} more", fmt::join(shown, ", "), names.size() - shown.size())
                                     : fmt::format("{}", fmt::join(shown, ", "));
}

[[noreturn]] void refuse_without_symbol(const std::string& file, const std::vector<std::string>& subjects) {
  if (subjects.empty()) throw Failure(LAPSE_BAD_MODEL, file + " is a library without a subject in it", kHowToDefine);
  throw Failure(LAPSE_BAD_MODEL,
                fmt::format("{} is a library with the {}: {}", file, subjects.size() == 1 ? "subject" : "subjects", list(subjects)),
                fmt::format("say which: {}:{}", file, subjects.front()));
}

void check_table(const lapse_subject& table, const ElfSymbol& symbol, const std::string& label) {
  if (table.abi_version != LAPSE_SUBJECT_ABI_VERSION) {
    throw Failure(LAPSE_ENGINE_UNUSABLE,
                  fmt::format("{} speaks version {} of the subject interface; this lapse speaks version {}", label, table.abi_version,
                              LAPSE_SUBJECT_ABI_VERSION),
                  "rebuild the library with this lapse's lapse/engine/subject.h, its first members by LAPSE_SUBJECT_HEAD");
  }
  if (table.struct_size < sizeof(lapse_subject) || table.struct_size > symbol.bytes) {
    throw Failure(LAPSE_ENGINE_UNUSABLE,
                  fmt::format("{} says that its table has {} bytes; it has {}, and lapse needs {}", label, table.struct_size, symbol.bytes,
                              sizeof(lapse_subject)),
                  "begin the table with LAPSE_SUBJECT_HEAD");
  }
  const auto missing = [&](const char* member) {
    throw Failure(LAPSE_BAD_MODEL, fmt::format("{}: its table has no {}", label, member),
                  "all members of a lapse_subject are needed (lapse/engine/subject.h)");
  };
  if (table.device == nullptr || *table.device == '\0') missing("device");
  if (table.create == nullptr) missing("create");
  if (table.enqueue == nullptr) missing("enqueue");
  if (table.error == nullptr) missing("error");
  if (table.destroy == nullptr) missing("destroy");
  if (std::string_view(table.device) == "cpu" && table.blocking == 0) {
    throw Failure(LAPSE_BAD_MODEL, label + " runs on the CPU without blocking: nothing would tell when its work is done",
                  "let enqueue wait for the work, and say blocking = 1");
  }
}

}  // namespace

std::optional<SubjectName> parse_subject_name(std::string_view text) {
  constexpr std::string_view kSuffix = ".so";
  for (std::size_t at = text.find(kSuffix); at != text.npos; at = text.find(kSuffix, at + 1)) {
    const auto end = end_of_file_name(text, at + kSuffix.size());
    if (!end) continue;
    SubjectName name{std::string(text.substr(0, *end)), {}, {}};
    const std::string_view rest = text.substr(std::min(text.size(), *end + 1));
    name.symbol = rest.substr(0, rest.find(':'));
    if (name.symbol.find('/') != name.symbol.npos) continue;  // still within the path
    name.arguments = rest.substr(std::min(rest.size(), name.symbol.size() + 1));
    return name;
  }
  return std::nullopt;
}

const lapse_subject& open_subject(const SubjectName& name) {
  void* library = load(name.file);
  const auto symbols = exported_symbols(name.file);
  if (name.symbol.empty()) refuse_without_symbol(name.file, subjects_of(library, symbols));

  const auto symbol = std::ranges::find(symbols, name.symbol, &ElfSymbol::name);
  if (symbol == symbols.end()) {
    const auto subjects = subjects_of(library, symbols);
    throw Failure(
        LAPSE_BAD_MODEL, fmt::format("{} has no symbol '{}'", name.file, name.symbol),
        subjects.empty() ? fmt::format("it has no subject at all: {}", kHowToDefine) : fmt::format("its subjects are: {}", list(subjects)));
  }
  if (!symbol->is_data) {
    throw Failure(LAPSE_BAD_MODEL, name.label() + " is a function, not a subject", kHowToDefine);
  }
  const lapse_subject* table = table_at(library, *symbol);
  if (!large_enough(*symbol) || table == nullptr) {
    throw Failure(
        LAPSE_BAD_MODEL,
        fmt::format("{} is not a subject: it has {} bytes, and a lapse_subject has {}", name.label(), symbol->bytes, sizeof(lapse_subject)),
        kHowToDefine);
  }
  check_table(*table, *symbol, name.label());
  return *table;
}

}  // namespace lapse::engine
