#include <lapse/device/cuda/kernels.hpp>

namespace lapse::device::cuda {
namespace {

// No processor of a GPU runs faster than this, so a bound in cycles by it is never met before the one in nanoseconds.
constexpr long long kCyclesPerNanosecond = 4;
// What the bound in cycles allows besides, so that a coarse timer gets to its next step: 1 ms at that clock.
constexpr long long kSlackCycles = 4'000'000;

__device__ std::uint64_t global_timer() {
  std::uint64_t now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
}

// Ends by the timer. Should that ever stand still or jump back, it ends by its cycles: it can't hang the device.
__global__ void spin(std::uint64_t nanoseconds, SpinTimes* times) {
  const long long first_cycle = clock64();
  const long long most_cycles = static_cast<long long>(nanoseconds) * kCyclesPerNanosecond + kSlackCycles;
  const std::uint64_t begin = global_timer();
  std::uint64_t end = begin;
  while (end - begin < nanoseconds && clock64() - first_cycle < most_cycles) end = global_timer();
  times->begin = begin;
  times->end = end;
}

__global__ void empty() {}

__global__ void timer_step(std::uint64_t* step) {
  constexpr int kChanges = 64;         // enough to meet the smallest one
  constexpr int kMostReads = 1 << 18;  // some milliseconds
  std::uint64_t smallest = ~std::uint64_t{0}, last = global_timer();
  int changes = 0;
  for (int read = 0; read < kMostReads && changes < kChanges; ++read) {
    const std::uint64_t now = global_timer();
    if (now == last) continue;
    if (now - last < smallest) smallest = now - last;
    last = now;
    ++changes;
  }
  *step = changes > 0 ? smallest : 0;
}

// <<<…>>> would need cudaGetLastError, which reports and forgets what others left there.
cudaError_t launch(const void* kernel, void** arguments, cudaStream_t stream) noexcept {
  return cudaLaunchKernel(kernel, dim3(1), dim3(1), arguments, 0, stream);
}

}  // namespace

cudaError_t launch_spin(std::uint64_t nanoseconds, SpinTimes* times, cudaStream_t stream) noexcept {
  void* arguments[] = {&nanoseconds, &times};
  return launch(reinterpret_cast<const void*>(spin), arguments, stream);
}

cudaError_t launch_empty(cudaStream_t stream) noexcept { return launch(reinterpret_cast<const void*>(empty), nullptr, stream); }

cudaError_t launch_timer_step(std::uint64_t* step, cudaStream_t stream) noexcept {
  void* arguments[] = {&step};
  return launch(reinterpret_cast<const void*>(timer_step), arguments, stream);
}

}  // namespace lapse::device::cuda
