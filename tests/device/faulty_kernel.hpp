#pragma once
#include <cuda_runtime_api.h>

namespace lapse::device {

/// A kernel that writes where no memory is. The device is lost to the process from then on.
cudaError_t launch_illegal_write(cudaStream_t stream) noexcept;

}  // namespace lapse::device
