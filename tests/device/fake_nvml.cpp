// A stand-in for libnvidia-ml.so.1. FAKE_NVML_OLD: with the older name of the reasons, without what may be missing.
// FAKE_NVML_BROKEN: without a function that may not.
#include "device/fake_nvml.hpp"

#include <cstdio>

using lapse::device::fake::Nvml;

extern "C" {

Nvml* fake_nvml() {
  static Nvml nvml;
  return &nvml;
}

int nvmlInit_v2() {
  if (fake_nvml()->init_status == 0) ++fake_nvml()->started;
  return fake_nvml()->init_status;
}

int nvmlShutdown() {
  --fake_nvml()->started;
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* pci_bus_id, void** device) {
  fake_nvml()->asked_for = pci_bus_id;
  *device = fake_nvml();
  return fake_nvml()->find_status;
}

#ifndef FAKE_NVML_BROKEN
int nvmlDeviceGetClockInfo(void* device, int domain, unsigned* mhz) {
  *mhz = device == fake_nvml() && domain == 1 ? fake_nvml()->mhz : 0;  // 1: the processors
  return fake_nvml()->clock_status;
}
#endif

int nvmlDeviceGetMaxClockInfo(void* device, int domain, unsigned* mhz) {
  *mhz = device == fake_nvml() && domain == 1 ? fake_nvml()->max_mhz : 0;
  return 0;
}

#ifdef FAKE_NVML_OLD
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* bits) {
#else
int nvmlDeviceGetCurrentClocksEventReasons(void*, unsigned long long* bits) {
#endif
  *bits = fake_nvml()->reasons;
  return fake_nvml()->reasons_status;
}

#ifndef FAKE_NVML_OLD
int nvmlSystemGetDriverVersion(char* text, unsigned size) {
  std::snprintf(text, size, "580.159.03");
  return 0;
}

const char* nvmlErrorString(int status) { return status == 15 ? "GPU is lost" : "Unknown Error"; }
#endif

}  // extern "C"
