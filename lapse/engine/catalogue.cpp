#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <lapse/engine/builtin.hpp>
#include <lapse/engine/catalogue.hpp>
#include <lapse/engine/plugin/elf_file.hpp>
#include <lapse/engine/subject_library.hpp>
#include <optional>

namespace lapse::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "lapse-engine-";
constexpr std::string_view kSuffix = ".so";

// Engines that belong to lapse, so that an absent one can be named with its remedy.
struct Known {
  std::string_view name;
  std::string_view suffixes;
  std::string_view remedy;
};
constexpr std::array kKnown{
    Known{"onnxruntime", ".onnx,.ort", "`tools/setup run` fetches ONNX Runtime; then build again"},
    Known{"torch", ".pt,.pth,.ts", "install LibTorch (on Debian: apt install libtorch-dev; `tools/setup test` does), then build again"},
};

std::optional<std::string> engine_name(const fs::path& file) {
  const std::string name = file.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || name.size() <= kPrefix.size() + kSuffix.size()) return std::nullopt;
  return name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
}

std::vector<std::pair<std::string, fs::path>> find_plugins() {
  std::vector<std::pair<std::string, fs::path>> plugins;
  for (const fs::path& folder : plugin_folders()) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
      const auto name = engine_name(entry.path());
      const auto same = [&](const auto& plugin) { return plugin.first == *name; };
      if (name && std::ranges::none_of(plugins, same)) plugins.emplace_back(*name, entry.path());
    }
  }
  std::ranges::sort(plugins);
  return plugins;
}

bool takes(std::string_view suffixes, std::string_view extension) {
  while (!suffixes.empty()) {
    const std::string_view suffix = suffixes.substr(0, suffixes.find(','));
    if (suffix == extension) return true;
    suffixes.remove_prefix(std::min(suffixes.size(), suffix.size() + 1));
  }
  return false;
}

}  // namespace

std::vector<fs::path> plugin_folders() {
  std::vector<fs::path> folders;
  if (const char* path = std::getenv("LAPSE_ENGINE_PATH")) {
    std::string_view rest = path;
    while (!rest.empty()) {
      const std::string_view folder = rest.substr(0, rest.find(':'));
      if (!folder.empty()) folders.emplace_back(folder);
      rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    }
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  folders.push_back(program / "engines");
#ifdef LAPSE_ENGINE_SUBFOLDER
  folders.push_back(program.parent_path() / LAPSE_ENGINE_SUBFOLDER);
#endif
  return folders;
}

Result<const lapse_engine_api*> load_plugin(const fs::path& file) {
  const auto unusable = [&](std::string reason, std::string hint) {
    return fail(ErrorCode::EngineUnusable, fmt::format("{}: {}", file.string(), reason), std::move(hint));
  };
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return unusable("no such file", "`lapse engines` lists what was found");
  if (plugin::elf_kind(file.string()) == plugin::ElfKind::Truncated) return unusable("is damaged: its end is missing", "install it again");
  // RTLD_LOCAL: the libraries behind two engines may carry different versions of the same symbols.
  void* library = dlopen(fs::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return unusable(fmt::format("can't be loaded: {}", dlerror()), "a plug-in is a shared library for this machine");
  void* symbol = dlsym(library, LAPSE_ENGINE_ENTRY);
  if (symbol == nullptr) {
    return unusable("is a shared library, but not an engine plug-in (it has no " LAPSE_ENGINE_ENTRY ")",
                    "to measure another build of an engine's own library use --engine-lib");
  }
  const auto* api = reinterpret_cast<lapse_engine_entry_fn>(symbol)();
  if (api == nullptr) return unusable("its " LAPSE_ENGINE_ENTRY " returns nothing", "");
  if (api->abi_version != LAPSE_ENGINE_ABI_VERSION || api->struct_size < offsetof(lapse_engine_api, inputs)) {
    return unusable(
        fmt::format("speaks version {} of the engine interface; this lapse speaks version {}", api->abi_version, LAPSE_ENGINE_ABI_VERSION),
        "rebuild the plug-in with this lapse's lapse/engine/abi.h");
  }
  return api;
}

std::vector<CatalogueEntry> catalogue() {
  std::vector<CatalogueEntry> entries;
  for (const auto& [name, file] : find_plugins()) entries.push_back({name, file, load_plugin(file)});
  for (const Known& known : kKnown) {
    if (std::ranges::any_of(entries, [&](const auto& entry) { return entry.name == known.name; })) continue;
    entries.push_back({std::string(known.name), {}, fail(ErrorCode::EngineUnusable, "not installed", std::string(known.remedy))});
  }
  entries.push_back({"null", {}, &null_engine()});
  entries.push_back({"sim", {}, &sim_engine()});
  entries.push_back({"subject", {}, &subject_engine()});
  return entries;
}

std::vector<std::string> engine_names() {
  std::vector<std::string> names{"null", "sim", "subject"};
  for (const auto& [name, file] : find_plugins()) names.push_back(name);
  for (const Known& known : kKnown) {
    if (std::ranges::find(names, known.name) == names.end()) names.emplace_back(known.name);
  }
  return names;
}

Result<const lapse_engine_api*> find_engine(std::string_view name_or_path) {
  if (name_or_path.find('/') != name_or_path.npos) return load_plugin(name_or_path);
  if (name_or_path == "null") return &null_engine();
  if (name_or_path == "sim") return &sim_engine();
  if (name_or_path == "subject") return &subject_engine();
  std::vector<std::string> names{"null", "sim", "subject"};
  for (const auto& [name, file] : find_plugins()) {
    if (name == name_or_path) return load_plugin(file);
    names.push_back(name);
  }
  for (const Known& known : kKnown) {
    if (known.name == name_or_path) {
      return fail(ErrorCode::EngineUnusable, fmt::format("the engine {} is not installed", known.name), std::string(known.remedy));
    }
  }
  return fail(ErrorCode::BadUse, fmt::format("there is no engine '{}'", name_or_path),
              fmt::format("there are: {}", fmt::join(names, ", ")));
}

Result<const lapse_engine_api*> engine_for(const fs::path& model) {
  const std::string extension = model.extension().string();
  // A library without a subject's name: that engine says which it has.
  if (const auto subject = parse_subject_name(model.filename().string()); subject && subject->symbol.empty()) return &subject_engine();
  for (const Known& known : kKnown) {
    if (takes(known.suffixes, extension)) return find_engine(known.name);
  }
  for (const auto& [name, file] : find_plugins()) {
    if (const auto api = load_plugin(file); api && takes((*api)->suffixes, extension)) return api;
  }
  return fail(ErrorCode::BadUse, fmt::format("{}: no engine is known for files ending in '{}'", model.string(), extension),
              "name one with --engine (onnxruntime for ONNX, torch for TorchScript)");
}

}  // namespace lapse::engine
