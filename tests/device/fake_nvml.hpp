#pragma once
// What the stand-in for NVML says, and what it was asked: the library's symbol `fake_nvml` points to one.

#include <string>

namespace lapse::device::fake {

struct Nvml {
  int init_status = 0, find_status = 0, clock_status = 0, reasons_status = 0;
  unsigned mhz = 1755, max_mhz = 1980;
  unsigned long long reasons = 0;
  std::string asked_for;  // the bus id
  int started = 0;        // init less shutdown
};

}  // namespace lapse::device::fake
