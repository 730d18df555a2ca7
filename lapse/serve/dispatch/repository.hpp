#pragma once
// What lies in the models folder:
//
//   NAME.onnx, NAME.pt                        version 1; settings NAME.json
//   NAME/model.onnx, NAME/model.pt            version 1; settings NAME/lapse.json
//   NAME/N/model.onnx, NAME/N/model.pt        version N, a whole number from 1; settings NAME/N/lapse.json or NAME/lapse.json
//   NAME.json, NAME/lapse.json alone          with "model": "null" or "sim:SETTINGS"
//
// Threads: any. Blocks on the disk.

#include <lapse/serve/dispatch/dispatcher.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lapse::serve {

struct ModelFile {
  std::string name, version;
  std::string path;  // as the engine takes it
  ModelSettings settings;
  std::string problem;  // not empty: why it can't be served
  std::string stamp;    // another one: the file, its settings or what lies beside it have changed
};

struct Scan {
  std::vector<ModelFile> models;     // by name, then version as a number
  std::vector<std::string> skipped;  // names that can't be served under, and why
};

/// Error: Unavailable when the folder can't be read.
Result<Scan> scan_models(const std::string& folder);

/// A file that is being copied looks different every time. So a model is taken as it is now when two looks one after the other found the
/// same, and until then as it was; what the very first look finds is taken at once. One thread.
class Settled {
 public:
  Scan take(Scan now);

 private:
  using Models = std::map<std::pair<std::string, std::string>, ModelFile>;  // by name and version
  std::optional<Models> seen_;
  Models taken_;
};

}  // namespace lapse::serve
