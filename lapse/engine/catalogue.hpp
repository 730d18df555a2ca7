#pragma once
// Which engines there are: the built-in ones, and the plug-ins found beside the program.
//
// Plug-ins are files `lapse-engine-NAME.so` in the folders of LAPSE_ENGINE_PATH (colon-separated), in `engines/` beside the program (a
// build tree) and in the installed library folder seen from the program (`../lib/…/lapse/engines`); the first of a name wins.
// A plug-in that was loaded stays loaded until the program ends.

#include <lapse/engine/abi.h>

#include <filesystem>
#include <lapse/base/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::engine {

struct CatalogueEntry {
  std::string name;              // "onnxruntime"
  std::filesystem::path plugin;  // empty for a built-in engine
  Result<const lapse_engine_api*> api;
};

/// Where plug-ins are looked for, in this order.
std::vector<std::filesystem::path> plugin_folders();

/// Every engine: found ones with their table or with the reason why not, and those that lapse knows but did not find.
std::vector<CatalogueEntry> catalogue();

/// Names of all of them, without loading any.
std::vector<std::string> engine_names();

/// One file as a plug-in. Errors: EngineUnusable (no such file, not a library, no entry, another ABI).
Result<const lapse_engine_api*> load_plugin(const std::filesystem::path& file);

/// By name ("torch"), or by the path of a plug-in when it contains a '/'. Errors: BadUse for an unknown name, EngineUnusable.
Result<const lapse_engine_api*> find_engine(std::string_view name_or_path);

/// By the ending of a model file. Errors: BadUse when no engine takes it, EngineUnusable when the one that does isn't there.
Result<const lapse_engine_api*> engine_for(const std::filesystem::path& model);

}  // namespace lapse::engine
