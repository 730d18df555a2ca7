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

#include <string>
#include <vector>

namespace lapse::serve {

struct ModelFile {
  std::string name, version;
  std::string path;  // as the engine takes it
  ModelSettings settings;
  std::string problem;  // not empty: why it can't be served
  std::string stamp;    // another one: the file or its settings have changed
};

struct Scan {
  std::vector<ModelFile> models;     // by name, then version as a number
  std::vector<std::string> skipped;  // names that can't be served under, and why
};

/// Error: Unavailable when the folder can't be read.
Result<Scan> scan_models(const std::string& folder);

}  // namespace lapse::serve
