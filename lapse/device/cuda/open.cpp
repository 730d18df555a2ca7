#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <lapse/device/cuda/error.hpp>
#include <lapse/device/cuda/open.hpp>
#include <lapse/device/cuda/timeline.hpp>
#include <optional>

namespace lapse::device::cuda {
namespace {

// "cuda" is cuda:0. The text may be the user's.
std::optional<int> parse_index(std::string_view device) {
  constexpr std::string_view kName = "cuda";
  if (device == kName) return 0;
  if (!device.starts_with(kName) || !device.substr(kName.size()).starts_with(':')) return std::nullopt;
  const std::string_view digits = device.substr(kName.size() + 1);
  int index = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc{} || end != digits.data() + digits.size() || index < 0) return std::nullopt;
  return index;
}

std::string list_devices(int count) {
  std::string list;
  for (int index = 0; index < count; ++index) {
    cudaDeviceProp properties{};
    const bool known = cudaGetDeviceProperties(&properties, index) == cudaSuccess;
    list += fmt::format("{}cuda:{} {}", list.empty() ? "" : ", ", index, known ? properties.name : "(it doesn't answer)");
  }
  if (const std::string visible = visible_devices(); !visible.empty()) list += fmt::format(" ({})", visible);
  cudaGetLastError();
  return list;
}

// Says which device it was: several may have been asked for.
tl::unexpected<Error> of_device(std::string_view device, Error error) {
  error.message = fmt::format("{}: {}", device, error.message);
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

Result<std::unique_ptr<Timeline>> open(std::string_view device, std::size_t streams) {
  const auto index = parse_index(device);
  if (!index) {
    return fail(ErrorCode::DeviceUnusable, fmt::format("'{}' names no CUDA device", device),
                "write cuda for the first one, cuda:1 for the second");
  }
  int count = 0;
  const cudaError_t counted = cudaGetDeviceCount(&count);
  if (counted != cudaSuccess) return of_device(device, explain(counted, "count the CUDA devices"));
  if (count == 0) return of_device(device, explain(cudaErrorNoDevice, "count the CUDA devices"));
  if (*index >= count) {
    return fail(ErrorCode::DeviceUnusable, fmt::format("there is no cuda:{}: this machine has {}", *index, count), list_devices(count));
  }
  CudaTimeline::Options options;
  options.index = *index;
  options.streams = std::max<std::size_t>(streams, 1);
  auto timeline = CudaTimeline::open(std::move(options));
  if (!timeline) return of_device(device, std::move(timeline).error());
  return std::move(*timeline);
}

}  // namespace lapse::device::cuda
