// Your own kernel: between CUDA events on the very stream that it is launched on, waited for, and audited.
#include <iostream>
#include <lapse/report/compose.hpp>
#include <lapse/report/render.hpp>

__global__ void scale(float* x, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) x[i] *= 1.0001f;
}

int main() {
  float* x = nullptr;
  if (cudaMalloc(&x, sizeof(float) << 24) != cudaSuccess) return std::cerr << "no memory on a device\n", 3;
  const auto result = lapse::measure([&](cudaStream_t s) {
    scale<<<1024, 256, 0, s>>>(x, 1 << 24);
    return cudaGetLastError();
  });
  if (!result) return std::cerr << result.error().message << '\n', 3;
  std::cout << lapse::report::to_text(lapse::report::compose(*result, "scale"), lapse::report::Language::English);
}
