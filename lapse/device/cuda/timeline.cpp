#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <lapse/device/cuda/error.hpp>
#include <lapse/device/cuda/timeline.hpp>

namespace lapse::device::cuda {
namespace {

// A query takes some hundred nanoseconds, a look at the clock some ten: rare enough to cost nothing, often enough for any time-out.
constexpr unsigned kPollsPerLook = 64;

}  // namespace

Result<std::unique_ptr<CudaTimeline>> CudaTimeline::open(Options options) {
  std::unique_ptr<CudaTimeline> timeline(new CudaTimeline(std::move(options)));
  LAPSE_CHECK(timeline->take_device());
  LAPSE_CHECK(timeline->make_resident());
  return timeline;
}

Result<void> CudaTimeline::take_device() {
  LAPSE_CHECK(make_current());
  cudaDeviceProp properties{};
  LAPSE_CHECK(check(cudaGetDeviceProperties(&properties, options_.index), "ask the device for its name"));
  info_.name = properties.name;
  info_.memory_bytes = properties.totalGlobalMem;
  info_.runtime = version_text(CUDART_VERSION);
  int driver = 0;
  LAPSE_CHECK(check(cudaDriverGetVersion(&driver), "ask the driver for its version"));
  info_.driver = fmt::format("CUDA {}", version_text(driver));

  char bus_id[32] = {};
  LAPSE_CHECK(check(cudaDeviceGetPCIBusId(bus_id, sizeof bus_id, options_.index), "ask for the device's place on the bus"));
  clocks_ = NvmlClocks::open(bus_id, options_.clock, options_.nvml);
  if (clocks_ && !clocks_->driver_version().empty()) info_.driver = clocks_->driver_version();

  streams_.reserve(options_.streams);
  for (std::size_t number = 0; number < options_.streams; ++number) {
    cudaStream_t stream = nullptr;
    LAPSE_CHECK(check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "create a stream"));
    streams_.push_back(stream);
  }

  int cache_bytes = 0;
  LAPSE_CHECK(check(cudaDeviceGetAttribute(&cache_bytes, cudaDevAttrL2CacheSize, options_.index), "ask for the size of the cache"));
  flushed_bytes_ = 2 * static_cast<std::size_t>(cache_bytes);
  // Now, as taking device memory can stop everything that runs there.
  if (flushed_bytes_ > 0) LAPSE_CHECK(check(cudaMalloc(&flushed_, flushed_bytes_), "take memory to flush the cache with"));
  void* spins = nullptr;
  LAPSE_CHECK(check(cudaMalloc(&spins, streams_.size() * sizeof(SpinTimes)), "take memory for times"));
  spins_ = static_cast<SpinTimes*>(spins);
  return {};
}

Result<void> CudaTimeline::make_resident() {
  // Kernels are loaded when they first run, and a stream gets its queue with its first work.
  auto* step = reinterpret_cast<std::uint64_t*>(spins_);
  LAPSE_CHECK(check(launch_timer_step(step, streams_[0]), "run a kernel"));
  LAPSE_TRY(const std::uint64_t nanoseconds, read(step));
  info_.timer_step = Duration(nanoseconds);
  for (std::size_t number = 0; number < streams_.size(); ++number) {
    LAPSE_CHECK(check(cudaMemsetAsync(spins_ + number, 0, sizeof(SpinTimes), streams_[number]), "clear memory"));
    LAPSE_CHECK(empty_work(number));
    LAPSE_CHECK(spin(std::chrono::microseconds{1}, number));
  }
  LAPSE_CHECK(flush_cache(0));
  return synchronize();
}

CudaTimeline::~CudaTimeline() {
  witness_.reset();
  if (lost_) return;
  cudaSetDevice(options_.index);
  for (cudaGraphExec_t graph : graphs_) cudaGraphExecDestroy(graph);
  for (cudaEvent_t event : events_) cudaEventDestroy(event);
  for (cudaStream_t stream : streams_) cudaStreamDestroy(stream);
  cudaFree(spins_);
  cudaFree(flushed_);
  cudaGetLastError();
}

tl::unexpected<Error> CudaTimeline::failed(cudaError_t status, std::string_view doing) {
  lost_ = lost_ || loses_device(status);
  return tl::unexpected<Error>(explain(status, doing));
}

Result<void> CudaTimeline::make_current() { return check(cudaSetDevice(options_.index), "take the device"); }

template <class Query>
Result<void> CudaTimeline::poll(Query query, std::string_view doing) {
  cudaError_t status = query();
  if (status == cudaErrorNotReady) {
    const Instant begin = now();
    unsigned polls = 0;
    while ((status = query()) == cudaErrorNotReady) {
      if (++polls % kPollsPerLook != 0 || now() - begin <= timeout_) continue;
      lost_ = true;
      cudaGetLastError();
      return fail(ErrorCode::DeviceUnusable, fmt::format("the device has not finished its work for {}", format(timeout_)),
                  "it hangs, or the work takes longer than lapse waits; nvidia-smi tells whether it is busy");
    }
    cudaGetLastError();  // the runtime remembers "not ready" as a failure, which an engine would take for its own
  }
  return check(status, doing);
}

Result<Mark> CudaTimeline::make_mark() {
  LAPSE_CHECK(make_current());
  cudaEvent_t event = nullptr;
  LAPSE_CHECK(check(cudaEventCreateWithFlags(&event, cudaEventDefault), "create an event"));
  events_.push_back(event);
  return Mark{static_cast<std::uint32_t>(events_.size() - 1)};
}

Result<void> CudaTimeline::record(Mark mark, std::size_t stream) {
  return check(cudaEventRecord(events_[mark.index], streams_[stream]), "record an event");
}

Result<void> CudaTimeline::follow(Mark mark, std::size_t stream) {
  return check(cudaStreamWaitEvent(streams_[stream], events_[mark.index], 0), "make a stream wait for an event");
}

Result<bool> CudaTimeline::passed(Mark mark) {
  const cudaError_t status = cudaEventQuery(events_[mark.index]);
  if (status == cudaSuccess) return true;
  if (status != cudaErrorNotReady) return failed(status, "ask for an event");
  cudaGetLastError();  // as in poll
  return false;
}

Result<void> CudaTimeline::wait(Mark mark) {
  return poll([event = events_[mark.index]] { return cudaEventQuery(event); }, "wait for an event");
}

Result<std::size_t> CudaTimeline::wait_any(std::span<const Mark> marks) {
  std::size_t place = 0, next = 0;
  const auto query = [&] {
    place = next;
    next = (next + 1) % marks.size();
    return cudaEventQuery(events_[marks[place].index]);
  };
  LAPSE_CHECK(poll(query, "wait for an event"));
  return place;
}

Result<void> CudaTimeline::synchronize() {
  for (cudaStream_t stream : streams_) LAPSE_CHECK(poll([stream] { return cudaStreamQuery(stream); }, "wait for a stream"));
  return {};
}

Result<Duration> CudaTimeline::elapsed(Mark from, Mark to) {
  float milliseconds = 0;
  LAPSE_CHECK(check(cudaEventElapsedTime(&milliseconds, events_[from.index], events_[to.index]), "tell the time between two events"));
  return Duration(std::llround(static_cast<double>(milliseconds) * 1e6));
}

Result<void> CudaTimeline::flush_cache(std::size_t stream) {
  if (flushed_bytes_ == 0) return {};  // there is no cache
  return check(cudaMemsetAsync(flushed_, 0, flushed_bytes_, streams_[stream]), "flush the cache");
}

template <class Value>
Result<Value> CudaTimeline::read(const Value* value) {
  LAPSE_CHECK(synchronize());
  Value copy{};
  // Not cudaMemcpy: it goes by the legacy default stream, and waits for the work of others there.
  LAPSE_CHECK(check(cudaMemcpyAsync(&copy, value, sizeof copy, cudaMemcpyDeviceToHost, streams_[0]), "read device memory"));
  LAPSE_CHECK(synchronize());
  return copy;
}

// What a captured graph, a kernel or the whole device needs: lapse/device/controls.hpp.

Result<std::uint64_t> CudaTimeline::memory_used() {
  LAPSE_CHECK(make_current());
  std::size_t free = 0, total = 0;
  LAPSE_CHECK(check(cudaMemGetInfo(&free, &total), "ask for the device's memory"));
  return total - free;
}

Result<void> CudaTimeline::synchronize_device() {
  LAPSE_CHECK(synchronize());
  LAPSE_CHECK(make_current());
  return check(cudaDeviceSynchronize(), "wait for the device");
}

Result<void> CudaTimeline::spin(Duration duration, std::size_t stream) {
  LAPSE_CHECK(make_current());
  last_spin_ = stream;
  const auto nanoseconds = static_cast<std::uint64_t>(std::clamp(duration, Duration::zero(), kLongestSpin).count());
  return check(launch_spin(nanoseconds, spins_ + stream, streams_[stream]), "run a kernel");
}

Result<Duration> CudaTimeline::spun() {
  LAPSE_TRY(const SpinTimes times, read(spins_ + last_spin_));
  return Duration(times.end - times.begin);
}

Result<void> CudaTimeline::empty_work(std::size_t stream) {
  LAPSE_CHECK(make_current());
  return check(launch_empty(streams_[stream]), "run a kernel");
}

Result<void> CudaTimeline::begin_capture(std::size_t stream) {
  // Thread-local: what only works once, such as taking memory, is refused on this thread, where the engine submits, instead of being
  // left out of the graph unseen. Other threads may go on as they like.
  return check(cudaStreamBeginCapture(streams_[stream], cudaStreamCaptureModeThreadLocal), "begin to capture");
}

Result<Graph> CudaTimeline::end_capture(std::size_t stream) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  cudaError_t status = cudaStreamEndCapture(streams_[stream], &graph);
  if (status == cudaSuccess) status = cudaGraphInstantiateWithFlags(&executable, graph, 0);
  if (graph != nullptr) cudaGraphDestroy(graph);
  if (status == cudaErrorMemoryAllocation || loses_device(status)) return failed(status, "capture a graph");
  if (status != cudaSuccess) {
    cudaGetLastError();
    return fail(ErrorCode::Unsupported, fmt::format("what was submitted can't be captured as a graph: {}", reason(status)),
                "it takes memory, synchronises, or uses another stream");
  }
  graphs_.push_back(executable);
  return Graph{static_cast<std::uint32_t>(graphs_.size() - 1)};
}

Result<void> CudaTimeline::launch(Graph graph, std::size_t stream) {
  return check(cudaGraphLaunch(graphs_[graph.index], streams_[stream]), "launch a graph");
}

Witness* CudaTimeline::witness() {
  // Once asked for: the library slows CUDA down by its presence.
  if (!witness_sought_) witness_ = open_cupti(*this, options_.cupti);
  witness_sought_ = true;
  return witness_.get();
}

}  // namespace lapse::device::cuda
