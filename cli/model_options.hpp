#pragma once
// The options that say which model on which engine with which inputs: shared by `time` and `check`.

#include <CLI/CLI.hpp>
#include <lapse/measure/model.hpp>
#include <string>
#include <vector>

namespace lapse::cli {

/// As the command line has them; request() reads them.
struct EngineOptions {
  std::string engine, library, device;
  int threads = 0;                   // 0: not given
  std::vector<std::string> options;  // key=value
  double rtol = tensor::Tolerance{}.relative;
  double atol = tensor::Tolerance{}.absolute;

  void add_to(CLI::App& command);
  Result<measuring::ModelRequest> request(const std::string& model) const;
};

struct InputOptions {
  std::vector<std::string> shapes, files, dimensions, fills, expected;
  std::int64_t batch = 0;  // 0: not given
  std::uint64_t seed = 0;
  std::size_t rotate = 1;

  void add_to(CLI::App& command);
  Result<measuring::InputRequest> request() const;
};

}  // namespace lapse::cli
