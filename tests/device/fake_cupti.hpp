#pragma once
// What the stand-in for CUPTI has recorded: the library's function `fake_cupti` points to one.

#include <cstdint>
#include <utility>
#include <vector>

namespace lapse::device::fake {

struct Cupti {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> kernels;  // begin, end: handed over at the next flush
  std::size_t dropped = 0;
  int enable_status = 0;
  bool active = false;
};

}  // namespace lapse::device::fake
