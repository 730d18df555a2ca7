#pragma once
// Memory that the copies of an inference go between, and the CUDA runtime's errors as Failures.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace lapse::plugin::onnxruntime {

/// Throws Failure(OUT_OF_MEMORY) or Failure(DEVICE_UNUSABLE) unless `error` is none. `what` starts the message: "input 'x'".
void check_cuda(cudaError_t error, std::string_view what);

/// Memory of the current device, uninitialised.
class DeviceMemory {
 public:
  DeviceMemory(std::size_t bytes, std::string_view what);
  void* data() const noexcept { return data_.get(); }

 private:
  struct Free {
    void operator()(void* data) const noexcept { cudaFree(data); }
  };
  std::unique_ptr<void, Free> data_;
};

/// Memory of the host, uninitialised: page-locked, which the device reads and writes by itself, or ordinary.
class HostMemory {
 public:
  explicit HostMemory(bool pinned) : data_(nullptr, Free{pinned}) {}
  /// At least `bytes` of it; what it held is lost where it has to grow, and nothing may still be using it.
  void reserve(std::size_t bytes, std::string_view what);
  void* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    bool pinned;
    void operator()(void* data) const noexcept;
  };
  std::unique_ptr<void, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace lapse::plugin::onnxruntime
