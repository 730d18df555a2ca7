#pragma once
// ONNX Runtime's CUDA provider. Two files define this, and the build takes one: cuda.cpp where it has the CUDA toolkit, whose runtime makes
// and copies memory, no_cuda.cpp where it has not.
//
// The library ties a session to one stream when it makes it, so a session of ours holds one of the library's for every stream of the
// timeline, each with its own copy of the weights on the device.

#include <lapse/engine/abi.h>
#include <onnxruntime_c_api.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include <lapse/engine/plugin/device.hpp>
#include "binding.hpp"
#include "library.hpp"

namespace lapse::plugin::onnxruntime {

/// How the provider computes. Nothing: as the library likes.
struct CudaOptions {
  std::optional<std::string> search;  // for the algorithm of a convolution, in the library's words
  std::optional<bool> tf32;           // float32 products may be rounded to 10 bits of mantissa
};

/// How many devices this library can use; 0 where it is a build for CPU or there is no driver.
int cuda_devices(const Library& library) noexcept;

/// Throws Failure(DEVICE_UNUSABLE) with the reason why `library` can't use `device`, Failure(BAD_INPUT) when no stream is named.
void require_cuda(const Library& library, const Device& device);

/// Makes sessions with these options run on `stream` of `device`. Throws Failure(DEVICE_UNUSABLE) when the provider can't be loaded.
void run_on_cuda(const Library& library, OrtSessionOptions& session, const Device& device, void* stream, const CudaOptions& options);

std::unique_ptr<Binding> bind_on_cuda(Session& session, std::span<const lapse_tensor> tensors);

}  // namespace lapse::plugin::onnxruntime
