#pragma once
// The three kernels of lapse. Each is one thread on one multiprocessor, submitted to `stream`; the calls do not block.
// The status is that of the launch alone: what an earlier call of somebody else left behind is not looked at.

#include <cuda_runtime_api.h>

#include <cstdint>

namespace lapse::device::cuda {

/// By %globaltimer, the device's own clock: nanoseconds, in steps that kernel launch_timer_step measures.
struct SpinTimes {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Runs for `nanoseconds` and then writes when it began and ended. `times` lies in device memory: a write over the bus would lengthen it.
cudaError_t launch_spin(std::uint64_t nanoseconds, SpinTimes* times, cudaStream_t stream) noexcept;
/// Does nothing.
cudaError_t launch_empty(cudaStream_t stream) noexcept;
/// Writes the smallest step seen of the timer, nanoseconds, into device memory; 0 when it stood still.
cudaError_t launch_timer_step(std::uint64_t* step, cudaStream_t stream) noexcept;

}  // namespace lapse::device::cuda
