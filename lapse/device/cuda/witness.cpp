#include <lapse/device/cuda/witness.hpp>

#if __has_include(<cupti.h>)
#include <cupti.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace lapse::device::cuda {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;  // some 5,000 records
constexpr std::size_t kAlignment = 8;          // of CUPTI's records

// Later versions of the record are longer and begin alike, so that this one is right for the library of any toolkit since CUDA 9.
using Record = CUpti_ActivityKernel4;
static_assert(offsetof(Record, start) == 16 && offsetof(Record, end) == 24);

struct Library {
  decltype(&cuptiActivityRegisterCallbacks) register_callbacks = nullptr;
  decltype(&cuptiActivityEnable) enable = nullptr;
  decltype(&cuptiActivityDisable) disable = nullptr;
  decltype(&cuptiActivityFlushAll) flush = nullptr;
  decltype(&cuptiActivityGetNextRecord) next_record = nullptr;
  decltype(&cuptiActivityGetNumDroppedRecords) dropped = nullptr;
  decltype(&cuptiGetResultString) error_text = nullptr;
};

// CUPTI's callbacks carry no context, and come from a thread of its own too.
struct Shared {
  std::mutex mutex;
  Library library;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> kernels;  // begin, end
  std::size_t dropped = 0;
} shared;

void CUPTIAPI give_buffer(std::uint8_t** buffer, std::size_t* size, std::size_t* most_records) {
  *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, kBufferBytes));
  *size = *buffer == nullptr ? 0 : kBufferBytes;
  *most_records = 0;  // as many as fit
}

void CUPTIAPI take_buffer(CUcontext context, std::uint32_t stream, std::uint8_t* buffer, std::size_t, std::size_t valid) {
  const std::lock_guard lock(shared.mutex);
  CUpti_Activity* record = nullptr;
  while (valid > 0 && shared.library.next_record(buffer, valid, &record) == CUPTI_SUCCESS) {
    if (record->kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL && record->kind != CUPTI_ACTIVITY_KIND_KERNEL) continue;
    const auto* kernel = reinterpret_cast<const Record*>(record);
    shared.kernels.emplace_back(kernel->start, kernel->end);
  }
  std::size_t dropped = 0;
  if (shared.library.dropped(context, stream, &dropped) == CUPTI_SUCCESS) shared.dropped += dropped;
  std::free(buffer);
}

class CuptiWitness final : public Witness {
 public:
  CuptiWitness(Controls& device, const Library& library) : device_(device), library_(library) {}
  ~CuptiWitness() override {
    if (active_) library_.disable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
  }

  std::string name() const override { return "CUPTI activity"; }

  Result<void> start() override {
    {
      const std::lock_guard lock(shared.mutex);
      shared.library = library_;
      shared.kernels.clear();
      shared.dropped = 0;
    }
    LAPSE_CHECK(check(library_.register_callbacks(give_buffer, take_buffer), "attach"));
    LAPSE_CHECK(check(library_.enable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL), "start to record"));
    active_ = true;
    return {};
  }

  Result<std::vector<Duration>> stop() override {
    const auto idle = device_.synchronize_device();
    const CUptiResult flushed = library_.flush(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
    const CUptiResult disabled = library_.disable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
    active_ = false;
    if (!idle) return tl::unexpected<Error>(idle.error());
    LAPSE_CHECK(check(flushed, "hand over its records"));
    LAPSE_CHECK(check(disabled, "stop to record"));

    const std::lock_guard lock(shared.mutex);
    if (shared.dropped > 0) {
      return fail(ErrorCode::DeviceUnusable, fmt::format("CUPTI lost {} records", shared.dropped), "record less work at a time");
    }
    std::ranges::sort(shared.kernels);
    std::vector<Duration> durations;
    for (const auto& [begin, end] : shared.kernels) durations.emplace_back(end - begin);
    return durations;
  }

 private:
  Result<void> check(CUptiResult status, std::string_view doing) {
    if (status == CUPTI_SUCCESS) return {};
    const char* text = nullptr;
    library_.error_text(status, &text);
    return fail(ErrorCode::DeviceUnusable, fmt::format("CUPTI can't {}: {}", doing, text == nullptr ? "unknown reason" : text),
                "another profiler may be attached to this process");
  }

  Controls& device_;
  const Library library_;
  bool active_ = false;
};

template <class Function>
bool load(void* handle, Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  return function != nullptr;
}

}  // namespace

std::unique_ptr<Witness> open_cupti(Controls& device, const std::vector<std::string>& libraries) {
  for (const std::string& name : libraries) {
    // Never closed again: CUPTI's threads and hooks outlive its last record.
    void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    Library library;
    if (handle != nullptr && load(handle, library.register_callbacks, "cuptiActivityRegisterCallbacks") &&
        load(handle, library.enable, "cuptiActivityEnable") && load(handle, library.disable, "cuptiActivityDisable") &&
        load(handle, library.flush, "cuptiActivityFlushAll") && load(handle, library.next_record, "cuptiActivityGetNextRecord") &&
        load(handle, library.dropped, "cuptiActivityGetNumDroppedRecords") && load(handle, library.error_text, "cuptiGetResultString")) {
      return std::make_unique<CuptiWitness>(device, library);
    }
  }
  return nullptr;
}

}  // namespace lapse::device::cuda

#else

namespace lapse::device::cuda {
std::unique_ptr<Witness> open_cupti(Controls&, const std::vector<std::string>&) { return nullptr; }
}  // namespace lapse::device::cuda

#endif

namespace lapse::device::cuda {
std::vector<std::string> cupti_libraries() { return {"libcupti.so.13", "libcupti.so.12", "libcupti.so"}; }
}  // namespace lapse::device::cuda
