#include "device/fake_cudart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lapse/device/cuda/kernels.hpp>

namespace lapse::device::fake {
namespace {

Runtime* current = nullptr;
constexpr Duration kBroken{-1};  // in a captured list: the capture is no longer valid

Stream& of(cudaStream_t stream) { return *reinterpret_cast<Stream*>(stream); }
Event& of(cudaEvent_t event) { return *reinterpret_cast<Event*>(event); }
std::string label(cudaStream_t stream) { return fmt::format("stream {}", of(stream).number); }
std::string label(cudaEvent_t event) { return fmt::format("event {}", of(event).number); }

bool stays(cudaError_t status) { return status == cudaErrorECCUncorrectable || (status >= 700 && status < 720 && status != 701); }

}  // namespace

Runtime& runtime() {
  if (current == nullptr) current = new Runtime;
  return *current;
}

void reset() {
  delete current;
  current = nullptr;
}

Duration clock() noexcept { return runtime().now; }

void work(void* stream, Duration duration) {
  Stream& to = *static_cast<Stream*>(stream);
  if (to.capturing) {
    to.captured.push_back(duration);
  } else {
    to.idle_from = std::max(to.idle_from, runtime().now) + duration;
  }
}

void break_capture(void* stream) { static_cast<Stream*>(stream)->captured.push_back(kBroken); }

cudaError_t Runtime::end(cudaError_t status) {
  if (status != cudaSuccess) last = status;
  if (stays(status)) stays_ = status;
  return status;
}

cudaError_t Runtime::call(const std::string& function, const std::string& about) {
  calls.push_back(about.empty() ? function : function + " " + about);
  if (stays_ != cudaSuccess) return end(stays_);
  if (driver < CUDART_VERSION) return end(cudaErrorInsufficientDriver);
  if (devices == 0) return end(cudaErrorNoDevice);
  const auto fault = faults_.find(function);
  if (fault == faults_.end() || fault->second.spared-- > 0) return cudaSuccess;
  return end(fault->second.status);
}

bool Runtime::called(std::string_view call) const { return std::ranges::find(calls, call) != calls.end(); }

}  // namespace lapse::device::fake

using namespace lapse::device::fake;
using lapse::Duration;

#define FAKE_CALL(...)                                                                                \
  do {                                                                                                \
    if (const cudaError_t status = runtime().call(__VA_ARGS__); status != cudaSuccess) return status; \
  } while (false)

extern "C" {

cudaError_t cudaDriverGetVersion(int* version) {
  *version = runtime().driver;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  FAKE_CALL("cudaGetDeviceCount");
  *count = runtime().devices;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  FAKE_CALL("cudaSetDevice", std::to_string(device));
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  FAKE_CALL("cudaGetDeviceProperties", std::to_string(device));
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "%s", runtime().device_name.c_str());
  properties->totalGlobalMem = runtime().total_bytes;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  FAKE_CALL("cudaDeviceGetAttribute");
  if (attribute != cudaDevAttrL2CacheSize) return runtime().end(cudaErrorInvalidValue);
  *value = runtime().cache_bytes;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int size, int device) {
  FAKE_CALL("cudaDeviceGetPCIBusId");
  std::snprintf(text, static_cast<std::size_t>(size), "0000:%02X:00.0", 0x3A + device);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  FAKE_CALL("cudaMemGetInfo");
  *free = runtime().free_bytes;
  *total = runtime().total_bytes;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t size) {
  FAKE_CALL("cudaMalloc", std::to_string(size));
  auto block = std::make_unique<std::byte[]>(size);
  *memory = block.get();
  runtime().memory.emplace(*memory, std::move(block));
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  FAKE_CALL("cudaFree");
  runtime().memory.erase(memory);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t size, cudaStream_t stream) {
  FAKE_CALL("cudaMemsetAsync", fmt::format("{} bytes {}", size, label(stream)));
  std::memset(memory, value, size);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t size, cudaMemcpyKind, cudaStream_t stream) {
  FAKE_CALL("cudaMemcpyAsync", label(stream));
  std::memcpy(to, from, size);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  FAKE_CALL("cudaStreamCreateWithFlags", flags == cudaStreamNonBlocking ? "non-blocking" : "blocking");
  auto& streams = runtime().streams;
  streams.push_back(std::make_unique<Stream>());
  streams.back()->number = streams.size() - 1;
  *stream = reinterpret_cast<cudaStream_t>(streams.back().get());
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  FAKE_CALL("cudaStreamDestroy", label(stream));
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  FAKE_CALL("cudaStreamQuery", label(stream));
  runtime().now += runtime().query_cost;
  return runtime().hangs || of(stream).idle_from > runtime().now ? runtime().end(cudaErrorNotReady) : cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  FAKE_CALL("cudaEventCreateWithFlags", (flags & cudaEventDisableTiming) != 0 ? "without timing" : "with timing");
  auto& events = runtime().events;
  events.push_back(std::make_unique<Event>());
  events.back()->number = events.size() - 1;
  *event = reinterpret_cast<cudaEvent_t>(events.back().get());
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  FAKE_CALL("cudaEventDestroy", label(event));
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  FAKE_CALL("cudaEventRecord", label(event) + " " + label(stream));
  of(event).at = std::max(of(stream).idle_from, runtime().now);
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
  FAKE_CALL("cudaStreamWaitEvent", label(stream) + " " + label(event) + (flags == 0 ? "" : " with flags"));
  of(stream).idle_from = std::max(of(stream).idle_from, of(event).at);
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  FAKE_CALL("cudaEventQuery", label(event));
  runtime().now += runtime().query_cost;
  return runtime().hangs || of(event).at > runtime().now ? runtime().end(cudaErrorNotReady) : cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  FAKE_CALL("cudaEventElapsedTime", label(from) + " " + label(to));
  if (of(from).at < Duration::zero() || of(to).at < Duration::zero()) return runtime().end(cudaErrorInvalidResourceHandle);
  if (std::max(of(from).at, of(to).at) > runtime().now) return runtime().end(cudaErrorNotReady);
  *milliseconds = static_cast<float>(static_cast<double>((of(to).at - of(from).at).count()) / 1e6);
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  FAKE_CALL("cudaDeviceSynchronize");
  for (const auto& stream : runtime().streams) runtime().now = std::max(runtime().now, stream->idle_from);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  FAKE_CALL("cudaStreamBeginCapture", label(stream) + (mode == cudaStreamCaptureModeThreadLocal ? " thread-local" : " otherwise"));
  of(stream).capturing = true;
  of(stream).captured.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  FAKE_CALL("cudaStreamEndCapture", label(stream));
  of(stream).capturing = false;
  if (std::ranges::find(of(stream).captured, kBroken) != of(stream).captured.end()) {
    *graph = nullptr;
    return runtime().end(cudaErrorStreamCaptureInvalidated);
  }
  runtime().graphs.push_back(std::make_unique<std::vector<Duration>>(of(stream).captured));
  *graph = reinterpret_cast<cudaGraph_t>(runtime().graphs.back().get());
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  FAKE_CALL("cudaGraphInstantiateWithFlags");
  *executable = reinterpret_cast<cudaGraphExec_t>(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t) {
  FAKE_CALL("cudaGraphDestroy");
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t) {
  FAKE_CALL("cudaGraphExecDestroy");
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  FAKE_CALL("cudaGraphLaunch", label(stream));
  for (const Duration duration : *reinterpret_cast<std::vector<Duration>*>(executable)) work(stream, duration);
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return std::exchange(runtime().last, cudaSuccess); }

const char* cudaGetErrorName(cudaError_t) { return "cudaErrorOfTheFake"; }

// The code itself, which is enough to see that it was carried through.
const char* cudaGetErrorString(cudaError_t status) {
  static std::string text;
  text = fmt::format("CUDA error {}", static_cast<int>(status));
  return text.c_str();
}

}  // extern "C"

namespace lapse::device::cuda {

cudaError_t launch_spin(std::uint64_t nanoseconds, SpinTimes* times, cudaStream_t stream) noexcept {
  FAKE_CALL("launch_spin", label(stream));
  const std::uint64_t step = std::max<std::uint64_t>(runtime().timer_step, 1);
  const std::uint64_t taken = (nanoseconds + step - 1) / step * step;  // ends at a step of the timer
  *times = {1000, 1000 + taken};
  work(stream, Duration(taken));
  return cudaSuccess;
}

cudaError_t launch_empty(cudaStream_t stream) noexcept {
  FAKE_CALL("launch_empty", label(stream));
  work(stream, Duration::zero());
  return cudaSuccess;
}

cudaError_t launch_timer_step(std::uint64_t* step, cudaStream_t stream) noexcept {
  FAKE_CALL("launch_timer_step", label(stream));
  *step = runtime().timer_step;
  return cudaSuccess;
}

}  // namespace lapse::device::cuda
