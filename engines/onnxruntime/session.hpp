#pragma once
// ONNX Runtime behind the three classes that lapse/engine/plugin/table.hpp asks for. Only functions of the C API: what is timed is theirs
// alone.

#include <lapse/engine/abi.h>
#include <onnxruntime_c_api.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lapse/engine/plugin/device.hpp>
#include <lapse/engine/plugin/options.hpp>
#include <lapse/engine/plugin/ports.hpp>
#include "binding.hpp"
#include "library.hpp"
#include "owned.hpp"

namespace lapse::plugin::onnxruntime {

class Session;

class Engine {
 public:
  static std::unique_ptr<Engine> open(Options& options);
  explicit Engine(Library library);

  lapse_engine_info info() const noexcept { return {library_.version.c_str(), library_.path.c_str(), devices_.c_str()}; }
  std::unique_ptr<Session> load(const std::string& model, Options& options);

  const OrtApi& api() const noexcept { return *library_.api; }

 private:
  Library library_;
  Owned<OrtEnv> env_;
  std::string devices_;
};

class Session {
 public:
  /// One of the library's sessions on the host; on CUDA one for each of the device's streams, in their order.
  Session(const OrtApi& api, std::vector<Owned<OrtSession>> natives, const Device& device, int threads, const std::string& model);

  lapse_session_info info() const noexcept;
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> tensors);

  const OrtApi& api() const noexcept { return api_; }
  OrtSession* native() const noexcept { return natives_.front().get(); }
  std::span<const Owned<OrtSession>> natives() const noexcept { return natives_; }
  const Device& device() const noexcept { return device_; }
  const Ports& inputs() const noexcept { return inputs_; }
  const Ports& outputs() const noexcept { return outputs_; }

 private:
  const OrtApi& api_;
  std::vector<Owned<OrtSession>> natives_;
  Ports inputs_;
  Ports outputs_;
  Device device_;
  int threads_;  // 0: the library chose
};

}  // namespace lapse::plugin::onnxruntime
