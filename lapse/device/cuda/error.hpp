#pragma once
// CUDA's error codes as errors of ours: what is wrong with the device or its driver, and what to do about it.

#include <cuda_runtime_api.h>

#include <lapse/base/error.hpp>
#include <string>
#include <string_view>

namespace lapse::device::cuda {

/// The error of a failed call; `doing` says what it was for, behind "can't": "record an event". OutOfMemory where memory ran out, else
/// DeviceUnusable. Makes the runtime forget the failure, which would otherwise be blamed on the next one who asks it on this thread.
Error explain(cudaError_t status, std::string_view doing);

/// "an illegal memory access was encountered (cudaErrorIllegalAddress)"
std::string reason(cudaError_t status);

/// True for a fault that stays: every later call of this process on the device fails with it too.
bool loses_device(cudaError_t status) noexcept;

/// "13.0" for 13000.
std::string version_text(int version);

/// What the environment says of the devices to be seen, as a sentence; empty when it says nothing.
std::string visible_devices();

}  // namespace lapse::device::cuda
