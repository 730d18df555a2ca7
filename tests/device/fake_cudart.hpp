#pragma once
// A stand-in for the CUDA runtime and for the kernels of lapse: the functions that the CUDA timeline calls, linked instead of cudart.
//
// Time is virtual: work takes exactly as long as it says, an event is stamped when its stream gets to it, and only asking (a query, a
// synchronisation) moves the clock. Device memory is the host's. Like the real one it remembers the last failure, "not ready" included,
// until somebody asks for it, and fails with every call once a fault was of the kind that stays.

#include <cuda_runtime_api.h>

#include <lapse/base/time.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::device::fake {

struct Stream {
  std::size_t number = 0;
  Duration idle_from{};
  bool capturing = false;
  std::vector<Duration> captured;
};

struct Event {
  std::size_t number = 0;
  Duration at{-1};  // not recorded
};

struct Runtime {
  // What the machine is like.
  int devices = 1;
  int driver = CUDART_VERSION;
  std::string device_name = "Fake GPU";
  std::size_t free_bytes = 6 << 20, total_bytes = 8 << 20;
  int cache_bytes = 4096;
  std::uint64_t timer_step = 32;
  Duration query_cost = std::chrono::microseconds{1};

  // What happens.
  Duration now{};
  bool hangs = false;  // no query ever succeeds
  std::vector<std::string> calls;
  cudaError_t last = cudaSuccess;

  /// From now on the function fails, the first `spared` calls of it excepted.
  void fail(const std::string& function, cudaError_t status, int spared = 0) { faults_[function] = {status, spared}; }
  /// Notes the call with what it is about, and says how it ends.
  cudaError_t call(const std::string& function, const std::string& about = {});
  cudaError_t end(cudaError_t status);
  bool called(std::string_view call) const;
  void forget_calls() { calls.clear(); }

  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::unique_ptr<Event>> events;
  std::vector<std::unique_ptr<std::vector<Duration>>> graphs;
  std::map<void*, std::unique_ptr<std::byte[]>> memory;  // that was not freed

 private:
  struct Fault {
    cudaError_t status = cudaSuccess;
    int spared = 0;
  };
  std::map<std::string, Fault> faults_;
  cudaError_t stays_ = cudaSuccess;
};

Runtime& runtime();
/// A new machine, well and idle.
void reset();
Duration clock() noexcept;
/// Work of an engine on a stream of the timeline.
void work(void* stream, Duration duration);
/// Does what a capture doesn't take, as an engine that synchronises.
void break_capture(void* stream);

}  // namespace lapse::device::fake
