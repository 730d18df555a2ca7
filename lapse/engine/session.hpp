#pragma once
// The C++ face of the engine interface (lapse/engine/abi.h): handles that close themselves, and errors as values.
// Lifetimes: an Engine outlives its Sessions, a Session its Bindings. Threads: as the ABI says.

#include <lapse/engine/abi.h>

#include <cstddef>
#include <filesystem>
#include <lapse/base/error.hpp>
#include <lapse/tensor/tensor.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lapse::engine {

/// Engine options in the order given; a later one of the same key wins.
using Options = std::vector<std::pair<std::string, std::string>>;

struct Dimension {
  std::int64_t size = -1;  // -1: dynamic
  std::string name;        // the model's name of a dynamic dimension; may be empty
};

struct Port {
  std::string name;
  tensor::DType dtype = tensor::DType::Unknown;
  std::optional<std::vector<Dimension>> dims;  // nothing: the model does not tell
};

/// One set of inputs, ready to run.
class Binding {
 public:
  /// One inference. Does not allocate, lock or write on lapse's side.
  lapse_status submit(void* stream) noexcept { return api_->submit(handle_.get(), stream); }
  /// One part of it, on a staged session; the three in order are one inference.
  lapse_status stage(lapse_stage stage, void* stream) noexcept { return api_->stage(handle_.get(), stage, stream); }
  /// The error behind a status that submit has just returned on this thread.
  Error error(lapse_status status) const;
  /// Where each submit reads the inputs from, in the order of the session's: to be written while none is in flight. Page-locked on a
  /// device; else what was bound. Lives as long as the binding.
  Result<std::vector<std::span<std::byte>>> inputs();
  /// Valid until the next submit of this binding.
  Result<std::vector<tensor::TensorView>> outputs();

 private:
  friend class Session;
  struct Close {
    const lapse_engine_api* api;
    void operator()(lapse_binding* binding) const noexcept { api->unbind(binding); }
  };
  Binding(const lapse_engine_api* api, lapse_binding* handle, std::vector<std::span<std::byte>> bound)
      : api_(api), handle_(handle, Close{api}), bound_(std::move(bound)) {}
  const lapse_engine_api* api_;
  std::unique_ptr<lapse_binding, Close> handle_;
  std::vector<std::span<std::byte>> bound_;
};

/// One loaded model.
class Session {
 public:
  const std::vector<Port>& inputs() const noexcept { return inputs_; }
  const std::vector<Port>& outputs() const noexcept { return outputs_; }
  const std::string& device() const noexcept { return device_; }
  bool asynchronous() const noexcept { return asynchronous_; }
  bool concurrent() const noexcept { return concurrent_; }
  int threads() const noexcept { return threads_; }
  bool staged() const noexcept { return staged_; }
  /// "pinned", "pageable", "none", or empty: as lapse_session_info says.
  const std::string& transfers() const noexcept { return transfers_; }
  /// The plug-in's own handle; stays with the session.
  lapse_session* handle() const noexcept { return handle_.get(); }

  /// `inputs` in the order of inputs(); their data is borrowed for the binding's life.
  Result<Binding> bind(std::span<const tensor::TensorView> inputs);

 private:
  friend class Engine;
  struct Close {
    const lapse_engine_api* api;
    void operator()(lapse_session* session) const noexcept { api->unload(session); }
  };
  Session(const lapse_engine_api* api, lapse_session* handle) : api_(api), handle_(handle, Close{api}) {}
  const lapse_engine_api* api_;
  std::unique_ptr<lapse_session, Close> handle_;
  std::vector<Port> inputs_, outputs_;
  std::string device_;
  bool asynchronous_ = false;
  bool concurrent_ = false;
  int threads_ = 0;
  bool staged_ = false;
  std::string transfers_;
};

/// An opened engine.
class Engine {
 public:
  /// `api` lives as long as the program (plug-ins are never unloaded: their libraries keep threads).
  static Result<Engine> open(const lapse_engine_api& api, const Options& options);

  std::string name() const { return api_->name; }
  const std::string& version() const noexcept { return version_; }
  const std::filesystem::path& library() const noexcept { return library_; }
  const std::string& devices() const noexcept { return devices_; }

  Result<Session> load(const std::string& model, const Options& options);

 private:
  struct Close {
    const lapse_engine_api* api;
    void operator()(lapse_engine* engine) const noexcept { api->close(engine); }
  };
  Engine(const lapse_engine_api* api, lapse_engine* handle) : api_(api), handle_(handle, Close{api}) {}
  const lapse_engine_api* api_;
  std::unique_ptr<lapse_engine, Close> handle_;
  std::string version_, devices_;
  std::filesystem::path library_;
};

}  // namespace lapse::engine
