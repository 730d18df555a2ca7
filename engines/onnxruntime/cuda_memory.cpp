#include "cuda_memory.hpp"

#include <cstdlib>
#include <new>

#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin::onnxruntime {

void check_cuda(cudaError_t error, std::string_view what) {
  if (error == cudaSuccess) [[likely]]
    return;
  cudaGetLastError();  // or a later call reports what has been reported here
  const std::string message = std::string(what) + ": " + cudaGetErrorString(error);
  if (error == cudaErrorMemoryAllocation) throw Failure(LAPSE_OUT_OF_MEMORY, message, "smaller inputs or a smaller --batch need less");
  throw Failure(LAPSE_DEVICE_UNUSABLE, message, "nvidia-smi and the system's log may tell more");
}

DeviceMemory::DeviceMemory(std::size_t bytes, std::string_view what) {
  void* data = nullptr;
  check_cuda(cudaMalloc(&data, bytes), what);
  data_.reset(data);
}

void HostMemory::Free::operator()(void* data) const noexcept {
  if (pinned) {
    cudaFreeHost(data);
  } else {
    std::free(data);
  }
}

void HostMemory::reserve(std::size_t bytes, std::string_view what) {
  if (bytes <= size_) return;
  void* data = nullptr;
  if (data_.get_deleter().pinned) {
    check_cuda(cudaMallocHost(&data, bytes), what);
  } else {
    data = std::malloc(bytes);
    if (data == nullptr) throw std::bad_alloc();
  }
  data_.reset(data);
  size_ = bytes;
}

}  // namespace lapse::plugin::onnxruntime
