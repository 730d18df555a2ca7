#include "faulty_kernel.hpp"

namespace lapse::device {
namespace {

__global__ void write_to(volatile int* address) { *address = 1; }

}  // namespace

cudaError_t launch_illegal_write(cudaStream_t stream) noexcept {
  int* nowhere = reinterpret_cast<int*>(16);
  void* arguments[] = {&nowhere};
  return cudaLaunchKernel(reinterpret_cast<const void*>(write_to), dim3(1), dim3(1), arguments, 0, stream);
}

}  // namespace lapse::device
