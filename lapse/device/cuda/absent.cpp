// What stands in for the CUDA device in a build without it.
#include <lapse/device/cuda/open.hpp>
#include <string>

namespace lapse::device::cuda {

Result<std::unique_ptr<Timeline>> open(std::string_view device, std::size_t) {
  return fail(ErrorCode::DeviceUnusable, std::string(device) + ": this lapse was built without CUDA",
              "build it with -DLAPSE_WITH_CUDA=ON where NVIDIA's CUDA toolkit (nvcc) is installed");
}

}  // namespace lapse::device::cuda
