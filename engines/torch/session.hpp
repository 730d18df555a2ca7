#pragma once
// LibTorch behind the three classes that lapse/engine/plugin/table.hpp asks for.

#include <lapse/engine/abi.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lapse/engine/plugin/options.hpp>
#include <lapse/engine/plugin/ports.hpp>

namespace lapse::plugin::libtorch {

class Session;
class Binding;

class Engine {
 public:
  static std::unique_ptr<Engine> open(Options& options);
  explicit Engine(std::string path) : path_(std::move(path)) {}

  lapse_engine_info info() const noexcept { return {TORCH_VERSION, path_.c_str(), "cpu"}; }
  std::unique_ptr<Session> load(const std::string& model, Options& options);

 private:
  std::string path_;  // of libtorch_cpu.so
};

class Session {
 public:
  Session(torch::jit::Module module, const std::string& model);

  lapse_session_info info() const noexcept;
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> tensors);

 private:
  torch::jit::Module module_;
  torch::jit::Function& forward_;
  std::vector<c10::IValue> arguments_;     // the module itself and the defaults; empty where an input goes
  std::vector<std::size_t> input_places_;  // in arguments_
  Ports inputs_;
  Ports outputs_;
};

class Binding {
 public:
  Binding(torch::jit::Function& forward, std::vector<c10::IValue> arguments);

  void submit(void* stream);
  std::span<const lapse_tensor> outputs();

 private:
  void flatten(const c10::IValue& value);
  void add(const at::Tensor& tensor);

  torch::jit::Function& forward_;
  std::vector<c10::IValue> arguments_;
  torch::jit::Stack stack_;  // forward consumes its arguments, so each submit gives it a copy; the room is kept
  c10::IValue result_;
  std::vector<at::Tensor> tensors_;
  std::vector<lapse_tensor> views_;
};

}  // namespace lapse::plugin::libtorch
