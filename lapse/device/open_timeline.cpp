#include <fmt/format.h>

#include <lapse/device/cuda/open.hpp>
#include <lapse/device/host_timeline.hpp>
#include <lapse/device/simulated.hpp>
#include <lapse/device/timeline.hpp>

namespace lapse::device {

Result<std::unique_ptr<Timeline>> open_timeline(std::string_view device, std::size_t streams) {
  if (device == "cpu") return std::make_unique<HostTimeline>();
  if (device == "sim") return std::make_unique<SimTimeline>(SimTimeline::Time::Real, streams);
  if (device == "sim:virtual") return std::make_unique<SimTimeline>(SimTimeline::Time::Virtual, streams);
  if (device == "cuda" || device.starts_with("cuda:")) return cuda::open(device, streams);
  return fail(ErrorCode::DeviceUnusable, fmt::format("this program has no timeline for the device '{}'", device),
              "`lapse engines` lists the devices of each engine");
}

}  // namespace lapse::device
