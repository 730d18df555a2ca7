// A stand-in for libcupti: between enable and disable it hands over what the test put there, and records of another kind between them.
#include "device/fake_cupti.hpp"

#include <cupti.h>

#include <cstring>

using lapse::device::fake::Cupti;

namespace {

CUpti_BuffersCallbackRequestFunc request = nullptr;
CUpti_BuffersCallbackCompleteFunc complete = nullptr;

// As long as the longest record of these headers, like in the real library's buffers.
union Slot {
  CUpti_Activity any;
  CUpti_ActivityKernel4 kernel;
  char room[256];
};

}  // namespace

extern "C" {

Cupti* fake_cupti() {
  static Cupti cupti;
  return &cupti;
}

CUptiResult cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc requested, CUpti_BuffersCallbackCompleteFunc completed) {
  request = requested;
  complete = completed;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityEnable(CUpti_ActivityKind kind) {
  fake_cupti()->active = kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL && fake_cupti()->enable_status == 0;
  return static_cast<CUptiResult>(fake_cupti()->enable_status);
}

CUptiResult cuptiActivityDisable(CUpti_ActivityKind) {
  fake_cupti()->active = false;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityFlushAll(std::uint32_t) {
  if (!fake_cupti()->active) return CUPTI_SUCCESS;
  std::uint8_t* buffer = nullptr;
  std::size_t size = 0, most = 0;
  request(&buffer, &size, &most);
  std::size_t used = 0;
  const auto put = [&](CUpti_ActivityKind kind, std::uint64_t begin, std::uint64_t end) {
    Slot slot{};
    slot.kernel.kind = kind;
    slot.kernel.start = begin;
    slot.kernel.end = end;
    std::memcpy(buffer + used, &slot, sizeof slot);
    used += sizeof slot;
  };
  for (const auto& [begin, end] : fake_cupti()->kernels) {
    put(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, begin, end);
    put(CUPTI_ACTIVITY_KIND_OVERHEAD, begin, end + 7);
  }
  fake_cupti()->kernels.clear();
  complete(nullptr, 0, buffer, size, used);
  return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityGetNextRecord(std::uint8_t* buffer, std::size_t valid, CUpti_Activity** record) {
  auto* next = *record == nullptr ? buffer : reinterpret_cast<std::uint8_t*>(*record) + sizeof(Slot);
  if (next + sizeof(Slot) > buffer + valid) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  *record = reinterpret_cast<CUpti_Activity*>(next);
  return CUPTI_SUCCESS;
}

CUptiResult cuptiActivityGetNumDroppedRecords(CUcontext, std::uint32_t, std::size_t* dropped) {
  *dropped = fake_cupti()->dropped;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiGetResultString(CUptiResult, const char** text) {
  *text = "CUPTI_ERROR_OF_THE_FAKE";
  return CUPTI_SUCCESS;
}

}  // extern "C"
