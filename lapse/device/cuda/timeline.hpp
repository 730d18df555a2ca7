#pragma once
// The timeline of one CUDA device: events with timing, on streams of its own.
//
// Its streams are non-blocking: what somebody puts on the legacy default stream neither waits for them nor holds them up, so that only the
// work measured is on them. An event is stamped by the device when it comes to it, at once where the stream is idle.
//
// Threads: as Timeline says, one at a time. CUDA's current device belongs to a thread, and engines change it too: calls that depend on it
// set it, the others (record, passed, wait, wait_any, synchronize, elapsed) need none.
//
// Waiting polls. cudaEventSynchronize would poll too at best, but without an end when the device hangs; here the clock is looked at now and
// then, and a wait beyond the time-out is an error. From then on, or when the device was lost by a fault, nothing of it is released, as
// CUDA's functions for that wait for the device.

#include <cuda_runtime_api.h>

#include <lapse/device/controls.hpp>
#include <lapse/device/cuda/clocks.hpp>
#include <lapse/device/cuda/kernels.hpp>
#include <lapse/device/cuda/witness.hpp>
#include <lapse/device/timeline.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::device::cuda {

class CudaTimeline final : public Timeline, private Controls {
 public:
  struct Options {
    int index = 0;            // 0 … cudaGetDeviceCount() - 1
    std::size_t streams = 1;  // at least 1
    Clock clock = &host_clock;
    const char* nvml = kNvmlLibrary;
    std::vector<std::string> cupti = cupti_libraries();
  };

  /// Takes the device, and runs every kernel of lapse once on it, so that none is loaded while something is measured.
  static Result<std::unique_ptr<CudaTimeline>> open(Options options);
  ~CudaTimeline() override;

  Instant now() noexcept override { return options_.clock(); }
  std::size_t streams() const noexcept override { return streams_.size(); }
  void* stream(std::size_t stream = 0) noexcept override { return streams_[stream]; }

  Result<Mark> make_mark() override;
  Result<void> record(Mark mark, std::size_t stream = 0) override;
  Result<void> follow(Mark mark, std::size_t stream) override;
  Result<bool> passed(Mark mark) override;
  Result<void> wait(Mark mark) override;
  Result<std::size_t> wait_any(std::span<const Mark> marks) override;
  Result<void> synchronize() override;
  /// Events tell milliseconds as a float, in steps of about half a microsecond.
  Result<Duration> elapsed(Mark from, Mark to) override;
  /// Overwrites twice what the last-level cache holds: it is not replaced in the order of use, and on large devices it has two halves.
  Result<void> flush_cache(std::size_t stream = 0) override;
  Controls* controls() noexcept override { return this; }

 private:
  explicit CudaTimeline(Options options) : options_(std::move(options)) {}

  DeviceInfo info() override { return info_; }
  Result<std::uint64_t> memory_used() override;
  /// Our own streams within the time-out; then cudaDeviceSynchronize for everybody else's, which knows none.
  Result<void> synchronize_device() override;
  Result<void> spin(Duration duration, std::size_t stream = 0) override;
  /// Exact to info().timer_step.
  Result<Duration> spun() override;
  Result<void> empty_work(std::size_t stream = 0) override;
  Result<void> begin_capture(std::size_t stream = 0) override;
  Result<Graph> end_capture(std::size_t stream = 0) override;
  Result<void> launch(Graph graph, std::size_t stream = 0) override;
  void set_timeout(Duration timeout) noexcept override { timeout_ = timeout; }
  ClockMonitor* clocks() noexcept override { return clocks_.get(); }
  Witness* witness() override;

  Result<void> take_device();
  Result<void> make_resident();
  Result<void> make_current();
  /// Nothing where the call succeeded, else its error.
  Result<void> check(cudaError_t status, std::string_view doing) {
    if (status == cudaSuccess) [[likely]]
      return {};
    return failed(status, doing);
  }
  tl::unexpected<Error> failed(cudaError_t status, std::string_view doing);
  template <class Query>
  Result<void> poll(Query query, std::string_view doing);
  /// A value that a kernel left in device memory, once the streams are idle.
  template <class Value>
  Result<Value> read(const Value* value);

  const Options options_;
  Duration timeout_ = kDeviceTimeout;
  bool lost_ = false;
  DeviceInfo info_;
  std::vector<cudaStream_t> streams_;
  std::vector<cudaEvent_t> events_;      // by Mark::index
  std::vector<cudaGraphExec_t> graphs_;  // by Graph::index
  void* flushed_ = nullptr;              // device memory
  std::size_t flushed_bytes_ = 0;
  SpinTimes* spins_ = nullptr;  // device memory, one per stream
  std::size_t last_spin_ = 0;   // the stream of it
  std::unique_ptr<NvmlClocks> clocks_;
  std::unique_ptr<Witness> witness_;
  bool witness_sought_ = false;
};

}  // namespace lapse::device::cuda
