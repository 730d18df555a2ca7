#pragma once
// The one door to the CUDA device: no header of CUDA is needed to call it, and every build has it.

#include <cstddef>
#include <lapse/device/timeline.hpp>
#include <memory>
#include <string_view>

namespace lapse::device::cuda {

/// Opens "cuda" (the first device) or "cuda:N" with `streams` streams of its own. Error: DeviceUnusable with what is missing: CUDA in this
/// build, the driver, the device. OutOfMemory.
Result<std::unique_ptr<Timeline>> open(std::string_view device, std::size_t streams);

}  // namespace lapse::device::cuda
