#pragma once
// One set of inputs on a CUDA device. Everything it submits is ordered on the stream given, and nothing waits for the device but the copies
// of ordinary memory, which the driver may make wait, and `outputs`.

#include <lapse/engine/abi.h>
#include <onnxruntime_c_api.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "binding.hpp"
#include "cuda_memory.hpp"
#include "owned.hpp"

namespace lapse::plugin::onnxruntime {

class CudaBinding final : public Binding {
 public:
  CudaBinding(Session& session, std::span<const lapse_tensor> tensors);

  void submit(void* stream) override;
  void stage(lapse_stage stage, void* stream) override;
  std::span<const lapse_tensor> outputs() override;
  std::span<const lapse_tensor> inputs() override { return sources_; }

 private:
  struct Input {
    HostMemory pinned;
    const void* source;  // what is copied: `pinned`, or the memory that was bound
    std::size_t bytes;
    DeviceMemory device;
    Owned<OrtValue> value;  // of `device`
  };
  // On the device: made by the library in the first run, and written again by the later ones unless their shapes vary.
  struct Output {
    Owned<OrtValue> value;
    std::vector<std::int64_t> dims;
    lapse_tensor view;  // of the device's memory
  };
  struct Lane {
    void* stream;
    OrtSession* native;
    Owned<OrtIoBinding> io;
    std::vector<Output> outputs;  // empty until they are asked for
    bool has_run;
    bool shapes_vary;  // from run to run, on the same inputs
  };

  void use_device() const;
  Lane& lane_of(void* stream);
  void bind_outputs(Lane& lane) const;
  void find_outputs(Lane& lane) const;
  void copy_inputs(void* stream);
  void run(Lane& lane);
  void copy_outputs(Lane& lane, void* stream);

  const OrtApi& api_;
  Session& session_;
  Owned<OrtMemoryInfo> memory_;  // of the device
  Owned<OrtRunOptions> options_;
  std::vector<Input> inputs_;
  std::vector<lapse_tensor> sources_;  // in page-locked memory; empty: what was bound
  std::vector<Lane> lanes_;            // one for every stream of the session
  Lane* last_ = nullptr;               // where the last run was
  bool copied_ = false;                // its outputs are on their way to the host
  std::vector<HostMemory> hosts_;      // the outputs on the host
  std::vector<lapse_tensor> views_;
};

}  // namespace lapse::plugin::onnxruntime
