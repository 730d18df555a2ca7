#pragma once
// ONNX Runtime behind the three classes that lapse/engine/plugin/table.hpp asks for. Only functions of the C API: what is timed is theirs
// alone.

#include <lapse/engine/abi.h>
#include <onnxruntime_c_api.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lapse/engine/plugin/options.hpp>
#include <lapse/engine/plugin/ports.hpp>
#include "library.hpp"

namespace lapse::plugin::onnxruntime {

/// An object of the library with the function that releases it.
template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

class Session;
class Binding;

class Engine {
 public:
  static std::unique_ptr<Engine> open(Options& options);
  explicit Engine(Library library);

  lapse_engine_info info() const noexcept { return {library_.version.c_str(), library_.path.c_str(), "cpu"}; }
  std::unique_ptr<Session> load(const std::string& model, Options& options);

  const OrtApi& api() const noexcept { return *library_.api; }

 private:
  Library library_;
  Owned<OrtEnv> env_;
};

class Session {
 public:
  Session(const OrtApi& api, Owned<OrtSession> session, int threads, const std::string& model);

  lapse_session_info info() const noexcept;
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> tensors);

  const OrtApi& api() const noexcept { return api_; }
  OrtSession* native() const noexcept { return session_.get(); }
  const Ports& inputs() const noexcept { return inputs_; }
  const Ports& outputs() const noexcept { return outputs_; }

 private:
  const OrtApi& api_;
  Owned<OrtSession> session_;
  Ports inputs_;
  Ports outputs_;
  int threads_;  // 0: the library chose
};

class Binding {
 public:
  Binding(Session& session, std::span<const lapse_tensor> tensors);
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  /// The library makes the outputs anew each time: their shapes may depend on data. Nothing of ours is allocated.
  void submit(void* stream);
  std::span<const lapse_tensor> outputs();

 private:
  void release_outputs() noexcept;
  lapse_tensor view(std::size_t index);

  const OrtApi& api_;
  Session& session_;
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  std::vector<Owned<OrtValue>> inputs_;
  std::vector<const OrtValue*> input_values_;
  std::vector<OrtValue*> output_values_;
  std::vector<std::vector<std::int64_t>> output_dims_;
  std::vector<lapse_tensor> output_views_;
};

}  // namespace lapse::plugin::onnxruntime
