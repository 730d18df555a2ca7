#pragma once
// LibTorch behind the three classes that lapse/engine/plugin/table.hpp asks for.

#include <lapse/engine/abi.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lapse/engine/plugin/device.hpp>
#include <lapse/engine/plugin/options.hpp>
#include <lapse/engine/plugin/ports.hpp>
#include "binding.hpp"

namespace lapse::plugin::libtorch {

class Session;

class Engine {
 public:
  static std::unique_ptr<Engine> open(Options& options);
  Engine(std::string path, std::string devices) : path_(std::move(path)), devices_(std::move(devices)) {}

  lapse_engine_info info() const noexcept { return {TORCH_VERSION, path_.c_str(), devices_.c_str()}; }
  std::unique_ptr<Session> load(const std::string& model, Options& options);

 private:
  std::string path_;  // of libtorch_cpu.so
  std::string devices_;
};

class Session {
 public:
  Session(torch::jit::Module module, const std::string& model, const Device& device);

  lapse_session_info info() const noexcept;
  std::unique_ptr<Binding> bind(std::span<const lapse_tensor> tensors);

 private:
  torch::jit::Module module_;
  torch::jit::Function& forward_;
  std::vector<c10::IValue> arguments_;     // the module itself and the defaults; empty where an input goes
  std::vector<std::size_t> input_places_;  // in arguments_
  Ports inputs_;
  Ports outputs_;
  Device device_;
};

}  // namespace lapse::plugin::libtorch
