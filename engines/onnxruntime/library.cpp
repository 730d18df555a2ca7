#include "library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include <lapse/engine/plugin/elf_file.hpp>
#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin::onnxruntime {
namespace {

namespace fs = std::filesystem;

// The table of functions only ever grows, and GetApi gives the same one for every version that the library knows. All that the plug-in
// calls stands in API 5 already; the newest setting it passes by name (spinning) came with 1.9. 1.11 is the oldest that lapse promises to
// drive.
constexpr std::uint32_t kApi = 11;
static_assert(kApi <= ORT_API_VERSION);
static_assert(offsetof(OrtApi, AddSessionConfigEntry) <= offsetof(OrtApi, SetGlobalSpinControl),
              "in API 5, which ends with SetGlobalSpinControl");

constexpr std::string_view kHowToGet = "name a libonnxruntime.so by --engine-lib or ORT_DYLIB_PATH, or let tools/setup fetch one";

[[noreturn]] void refuse(const std::string& message, std::string_view hint = kHowToGet) {
  throw Failure(LAPSE_ENGINE_UNUSABLE, message, std::string(hint));
}

std::string resolved(const std::string& path) {
  std::error_code error;
  const auto canonical = fs::canonical(path, error);
  return error ? path : canonical.string();
}

// "1.30.0" → 30; nothing for another major version.
std::optional<std::uint32_t> minor_version(std::string_view version) {
  if (!version.starts_with("1.")) return std::nullopt;
  std::uint32_t minor = 0;
  const auto [end, error] = std::from_chars(version.data() + 2, version.data() + version.size(), minor);
  return error == std::errc{} ? std::optional(minor) : std::nullopt;
}

// `what` names the library to the reader; the handle is never closed.
Library drive(void* handle, const std::string& what) {
  using GetApiBase = const OrtApiBase* (*)();
  void* const entry = dlsym(handle, "OrtGetApiBase");
  if (entry == nullptr) refuse(what + " is a shared library, but not ONNX Runtime: it has no OrtGetApiBase");
  const OrtApiBase* base = reinterpret_cast<GetApiBase>(entry)();
  const std::string version = base->GetVersionString();
  const auto minor = minor_version(version);
  // Asking for what it does not have would print on stderr, so the version is looked at first.
  if (!minor || *minor < kApi)
    refuse(what + " is ONNX Runtime " + version + ", which lapse can't drive", "use ONNX Runtime 1.11 or a later 1.x");
  const OrtApi* api = base->GetApi(kApi);
  if (api == nullptr) refuse(what + " is ONNX Runtime " + version + ", but gives no C API " + std::to_string(kApi));
  Dl_info place{};
  const bool known = dladdr(entry, &place) != 0 && place.dli_fname != nullptr;
  return {api, version, *minor, known ? resolved(place.dli_fname) : std::string()};
}

// The loader's words, without the path that they begin with.
std::string loader_error(const std::string& path) {
  const std::string text = dlerror();
  const std::string opening = fs::absolute(path).string() + ": ";
  return text.starts_with(opening) ? text.substr(opening.size()) : text;
}

Library open_file(const std::string& path, const std::string& given_by) {
  const std::string what = given_by.empty() ? path : given_by + ": " + path;
  if (path.empty()) refuse("the path of the library is empty");
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) refuse(what + ": no such file");
  if (!fs::is_regular_file(status)) refuse(what + " is not a file");
  switch (elf_kind(path)) {
    case ElfKind::Unreadable:
      refuse(what + " can't be read");
    case ElfKind::NotElf:
      refuse(what + " is not a shared library");
    case ElfKind::Truncated:
      refuse(what + " is a damaged shared library: its end is missing");
    case ElfKind::Whole:
      break;
  }
  // With a slash in it, the loader takes the path as it is and looks nowhere else.
  void* const handle = dlopen(fs::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) refuse(what + " can't be loaded: " + loader_error(path));
  return drive(handle, what);
}

// Beside an installed plug-in: lib/lapse/engines/<plug-in> and lib/lapse/libonnxruntime.so[.1[.30.0]].
std::optional<std::string> beside_plugin() {
  Dl_info self{};
  if (dladdr(reinterpret_cast<void*>(&beside_plugin), &self) == 0 || self.dli_fname == nullptr) return std::nullopt;
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(fs::path(resolved(self.dli_fname)).parent_path().parent_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with("libonnxruntime.so")) found.push_back(entry->path().string());
  }
  if (found.empty()) return std::nullopt;
  return *std::min_element(found.begin(), found.end());
}

}  // namespace

Library open_library(const std::optional<std::string>& asked) {
  if (asked) return open_file(*asked, "");
  const char* environment = std::getenv("ORT_DYLIB_PATH");
  if (environment != nullptr && *environment != '\0') return open_file(environment, "ORT_DYLIB_PATH");
  if (const auto beside = beside_plugin()) return open_file(*beside, "");
  const std::string built_with = LAPSE_ONNXRUNTIME_LIBRARY;
  std::error_code error;
  if (!built_with.empty() && fs::exists(built_with, error)) return open_file(built_with, "");
  for (const char* name : {"libonnxruntime.so.1", "libonnxruntime.so"}) {
    if (void* const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return drive(handle, name);
  }
  refuse("ONNX Runtime is not installed: no libonnxruntime.so.1 was found");
}

}  // namespace lapse::plugin::onnxruntime
