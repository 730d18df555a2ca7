#pragma once
// One set of inputs, ready to run on the host.

#include <lapse/engine/abi.h>
#include <onnxruntime_c_api.h>

#include <cstdint>
#include <span>
#include <vector>

#include <lapse/engine/plugin/binding.hpp>
#include "owned.hpp"

namespace lapse::plugin::onnxruntime {

class Session;

class HostBinding final : public Binding {
 public:
  HostBinding(Session& session, std::span<const lapse_tensor> tensors);
  ~HostBinding() override;

  /// The library makes the outputs anew each time: their shapes may depend on data. Nothing of ours is allocated.
  void submit(void* stream) override;
  /// All of an inference on the host is its forward pass.
  void stage(lapse_stage stage, void* stream) override;
  std::span<const lapse_tensor> outputs() override;

 private:
  void release_outputs() noexcept;

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
