#include "cuda_binding.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "session.hpp"
#include "values.hpp"

namespace lapse::plugin::onnxruntime {
namespace {

cudaStream_t native_stream(void* stream) noexcept { return static_cast<cudaStream_t>(stream); }

}  // namespace

CudaBinding::CudaBinding(Session& session, std::span<const lapse_tensor> tensors)
    : api_(session.api()),
      session_(session),
      memory_(make_owned<OrtMemoryInfo>(
          api_, api_.ReleaseMemoryInfo, Stage::Bind, {},
          [&](auto** out) { return api_.CreateMemoryInfo("Cuda", OrtDeviceAllocator, session.device().index, OrtMemTypeDefault, out); })),
      options_(make_owned<OrtRunOptions>(api_, api_.ReleaseRunOptions, Stage::Bind, {}, api_.CreateRunOptions)) {
  use_device();
  // Or every run would end with the library waiting for the device.
  check(api_, api_.AddRunConfigEntry(options_.get(), "disable_synchronize_execution_providers", "1"), Stage::Bind);
  const bool pinned = session.device().transfers == Transfers::Pinned;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const lapse_tensor& tensor = tensors[i];
    const std::string what = "input '" + session.inputs()[i].name + "'";
    DeviceMemory device(tensor.bytes, what);
    Owned<OrtValue> value = wrap(api_, *memory_, tensor, device.data());
    Input input{HostMemory(pinned), tensor.data, tensor.bytes, std::move(device), std::move(value)};
    if (pinned && tensor.bytes > 0) {
      input.pinned.reserve(tensor.bytes, what);
      std::copy_n(static_cast<const std::byte*>(tensor.data), tensor.bytes, static_cast<std::byte*>(input.pinned.data()));
      input.source = input.pinned.data();
    }
    if (pinned) {
      sources_.push_back(tensor);
      sources_.back().data = const_cast<void*>(input.source);
    }
    inputs_.push_back(std::move(input));
  }
  // The inputs are on the device from the beginning, so that the forward pass can run without a copy before it.
  copy_inputs(nullptr);
  check_cuda(cudaStreamSynchronize(nullptr), "copying the inputs");

  for (std::size_t i = 0; i < session.natives().size(); ++i) {
    OrtSession* native = session.natives()[i].get();
    Lane lane{session.device().streams[i],
              native,
              make_owned<OrtIoBinding>(api_, api_.ReleaseIoBinding, Stage::Bind, {},
                                       [&](auto** out) { return api_.CreateIoBinding(native, out); }),
              {},
              false,
              false};
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      check(api_, api_.BindInput(lane.io.get(), session.inputs()[k].name.c_str(), inputs_[k].value.get()), Stage::Bind);
    }
    bind_outputs(lane);
    lanes_.push_back(std::move(lane));
  }
  for (std::size_t i = 0; i < session.outputs().size(); ++i) hosts_.emplace_back(pinned);
}

void CudaBinding::use_device() const { check_cuda(cudaSetDevice(session_.device().index), session_.device().name); }

CudaBinding::Lane& CudaBinding::lane_of(void* stream) {
  const auto lane = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& candidate) { return candidate.stream == stream; });
  if (lane == lanes_.end()) throw Failure(LAPSE_BAD_INPUT, "the model was not loaded for this CUDA stream");
  return *lane;
}

void CudaBinding::bind_outputs(Lane& lane) const {
  lane.outputs.clear();
  api_.ClearBoundOutputs(lane.io.get());
  for (const auto& port : session_.outputs().views()) {
    check(api_, api_.BindOutputToDevice(lane.io.get(), port.name, memory_.get()), Stage::Bind);
  }
}

void CudaBinding::find_outputs(Lane& lane) const {
  OrtAllocator* allocator = nullptr;
  OrtValue** values = nullptr;
  std::size_t count = 0;
  check(api_, api_.GetAllocatorWithDefaultOptions(&allocator), Stage::Submit);
  check(api_, api_.GetBoundOutputValues(lane.io.get(), allocator, &values, &count), Stage::Submit);
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < count; ++i) outputs.push_back({Owned<OrtValue>(values[i], api_.ReleaseValue), {}, {}});
  if (values != nullptr) allocator->Free(allocator, values);
  for (std::size_t i = 0; i < count; ++i) {
    outputs[i].view = view_of(api_, outputs[i].value.get(), session_.outputs()[i].name, outputs[i].dims);
  }
  lane.outputs = std::move(outputs);
}

void CudaBinding::copy_inputs(void* stream) {
  for (const Input& input : inputs_) {
    check_cuda(cudaMemcpyAsync(input.device.data(), input.source, input.bytes, cudaMemcpyHostToDevice, native_stream(stream)),
               "copying the inputs");
  }
}

void CudaBinding::run(Lane& lane) {
  if (lane.shapes_vary) bind_outputs(lane);
  OrtStatus* status = api_.RunWithBinding(lane.native, options_.get(), lane.io.get());
  if (status != nullptr && lane.has_run && !lane.shapes_vary) {
    // Perhaps the outputs of the last run, offered again, don't fit this time. From here on the library makes others for each run.
    api_.ReleaseStatus(status);
    lane.shapes_vary = true;
    bind_outputs(lane);
    status = api_.RunWithBinding(lane.native, options_.get(), lane.io.get());
  }
  check(api_, status, Stage::Submit);
  lane.has_run = true;
  last_ = &lane;
  copied_ = false;
}

void CudaBinding::copy_outputs(Lane& lane, void* stream) {
  if (lane.outputs.empty()) find_outputs(lane);
  for (std::size_t i = 0; i < lane.outputs.size(); ++i) {
    const lapse_tensor& output = lane.outputs[i].view;
    hosts_[i].reserve(output.bytes, "output '" + session_.outputs()[i].name + "'");
    check_cuda(cudaMemcpyAsync(hosts_[i].data(), output.data, output.bytes, cudaMemcpyDeviceToHost, native_stream(stream)),
               "copying the outputs");
  }
  copied_ = true;
}

void CudaBinding::submit(void* stream) {
  use_device();
  Lane& lane = lane_of(stream);
  const bool copies = session_.device().transfers != Transfers::None;
  if (copies) copy_inputs(stream);
  run(lane);
  if (copies) copy_outputs(lane, stream);
}

void CudaBinding::stage(lapse_stage stage, void* stream) {
  use_device();
  switch (stage) {
    case LAPSE_STAGE_H2D:
      return copy_inputs(stream);
    case LAPSE_STAGE_FORWARD:
      return run(lane_of(stream));
    case LAPSE_STAGE_D2H:
      if (last_ != nullptr) copy_outputs(*last_, stream);
      return;
  }
}

std::span<const lapse_tensor> CudaBinding::outputs() {
  if (last_ == nullptr) throw Failure(LAPSE_BAD_INPUT, "there are no outputs: no submit has succeeded");
  use_device();
  if (!copied_) {
    copy_outputs(*last_, last_->stream);
    check_cuda(cudaStreamSynchronize(native_stream(last_->stream)), "copying the outputs");
  }
  views_.clear();
  for (std::size_t i = 0; i < last_->outputs.size(); ++i) {
    views_.push_back(last_->outputs[i].view);
    views_.back().data = hosts_[i].data();
  }
  return views_;
}

}  // namespace lapse::plugin::onnxruntime
