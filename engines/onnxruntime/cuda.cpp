#include "cuda.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lapse/engine/plugin/failure.hpp>
#include "cuda_binding.hpp"
#include "status.hpp"

namespace lapse::plugin::onnxruntime {
namespace {

constexpr std::string_view kProvider = "CUDAExecutionProvider";
constexpr std::uint32_t kOldest = 18;  // of 1.x: before, the provider could not be given a stream by name

bool has_provider(const OrtApi& api) {
  char** names = nullptr;
  int count = 0;
  check(api, api.GetAvailableProviders(&names, &count), Stage::Open);
  const bool has = std::find(names, names + count, kProvider) != names + count;
  if (OrtStatus* status = api.ReleaseAvailableProviders(names, count)) api.ReleaseStatus(status);
  return has;
}

std::string reason_of(cudaError_t error) {
  int driver = 0;
  if (error == cudaErrorInsufficientDriver && cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0)
    return "there is no NVIDIA driver";
  return cudaGetErrorString(error);
}

// Whatever the provider refuses to be set up for, the device can't be used by this library.
void check_provider(const Library& library, OrtStatus* status) {
  if (status == nullptr) return;
  const Failure failure = failure_of(library.api->GetErrorCode(status), library.api->GetErrorMessage(status), Stage::Load, {});
  library.api->ReleaseStatus(status);
  throw Failure(LAPSE_DEVICE_UNUSABLE, "ONNX Runtime can't use CUDA: " + std::string(failure.what()),
                "the CUDA libraries that it was built for, cuDNN among them, must be where the loader finds them (LD_LIBRARY_PATH)");
}

}  // namespace

int cuda_devices(const Library& library) noexcept {
  try {
    int count = 0;
    return library.minor >= kOldest && has_provider(*library.api) && cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
  } catch (const Failure&) {
    return 0;
  }
}

void require_cuda(const Library& library, const Device& device) {
  if (!has_provider(*library.api)) {
    throw Failure(LAPSE_DEVICE_UNUSABLE, library.path + " is a build of ONNX Runtime without CUDA",
                  "name the libonnxruntime.so of a build for GPU (onnxruntime-gpu) by --engine-lib or ORT_DYLIB_PATH");
  }
  if (library.minor < kOldest) {
    throw Failure(LAPSE_DEVICE_UNUSABLE, "ONNX Runtime " + library.version + " can't be told which CUDA stream to use",
                  "use 1.18 or later");
  }
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess && error != cudaErrorNoDevice) {
    throw Failure(LAPSE_DEVICE_UNUSABLE, "no CUDA device can be used: " + reason_of(error), "does nvidia-smi work here?");
  }
  require_index("CUDA", device.index, count);
  if (device.streams.empty()) {
    throw Failure(LAPSE_BAD_INPUT, "ONNX Runtime ties a model to a CUDA stream when it is loaded, and none was named",
                  "give the streams that submit will be given by the load option streams");
  }
}

void run_on_cuda(const Library& library, OrtSessionOptions& session, const Device& device, void* stream, const CudaOptions& options) {
  const OrtApi& api = *library.api;
  std::vector<std::pair<const char*, std::string>> settings = {
      {"device_id", std::to_string(device.index)}, {"user_compute_stream", std::to_string(reinterpret_cast<std::uintptr_t>(stream))}};
  if (options.search) settings.emplace_back("cudnn_conv_algo_search", *options.search);
  if (options.tf32) settings.emplace_back("use_tf32", *options.tf32 ? "1" : "0");
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : settings) {
    keys.push_back(key);
    values.push_back(value.c_str());
  }
  const auto provider =
      make_owned<OrtCUDAProviderOptionsV2>(api, api.ReleaseCUDAProviderOptions, Stage::Load, {}, api.CreateCUDAProviderOptions);
  check_provider(library, api.UpdateCUDAProviderOptions(provider.get(), keys.data(), values.data(), keys.size()));
  check_provider(library, api.SessionOptionsAppendExecutionProvider_CUDA_V2(&session, provider.get()));
}

std::unique_ptr<Binding> bind_on_cuda(Session& session, std::span<const lapse_tensor> tensors) {
  return std::make_unique<CudaBinding>(session, tensors);
}

}  // namespace lapse::plugin::onnxruntime
