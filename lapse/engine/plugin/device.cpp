#include <lapse/engine/plugin/device.hpp>

#include <charconv>
#include <cstdint>
#include <optional>

#include <lapse/engine/plugin/failure.hpp>

namespace lapse::plugin {
namespace {

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "cuda" → 0, "cuda:3" → 3; nothing for what is no CUDA device.
std::optional<int> cuda_index(std::string_view name) {
  if (name == "cuda") return 0;
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return whole_number<std::uint8_t>(name.substr(kPrefix.size()));
}

std::vector<void*> read_streams(std::string_view text) {
  std::vector<void*> streams;
  while (true) {
    const auto comma = text.find(',');
    const auto address = whole_number<std::uintptr_t>(text.substr(0, comma));
    if (!address) throw Failure(LAPSE_BAD_INPUT, "the load option streams=" + std::string(text) + " must be numbers with commas between");
    streams.push_back(reinterpret_cast<void*>(*address));
    if (comma == text.npos) return streams;
    text.remove_prefix(comma + 1);
  }
}

const char* name_of(Transfers transfers) noexcept {
  switch (transfers) {
    case Transfers::Pinned:
      return "pinned";
    case Transfers::Pageable:
      return "pageable";
    case Transfers::None:
      break;
  }
  return "none";
}

}  // namespace

Device read_device(Options& options) {
  Device device;
  const std::string asked = options.text("device").value_or("cpu");
  const auto transfers =
      options.choice<Transfers>("transfers", {{"pinned", Transfers::Pinned}, {"pageable", Transfers::Pageable}, {"none", Transfers::None}});
  const auto streams = options.text("streams");
  if (asked == "cpu") {
    if (!transfers) return device;
    throw Failure(LAPSE_BAD_INPUT, "transfers are for a device with memory of its own, and this model runs on the host",
                  "name the device: --device cuda");
  }
  const auto index = cuda_index(asked);
  if (!index) throw Failure(LAPSE_DEVICE_UNUSABLE, "this engine has no device '" + asked + "'", "write cpu, cuda or cuda:N");
  device.cuda = true;
  device.index = *index;
  device.name = "cuda:" + std::to_string(*index);
  device.transfers = transfers.value_or(Transfers::Pinned);
  if (streams) device.streams = read_streams(*streams);
  return device;
}

void require_index(std::string_view who, int index, int count) {
  if (index < count) return;
  const std::string name = "cuda:" + std::to_string(index);
  if (count == 0) throw Failure(LAPSE_DEVICE_UNUSABLE, std::string(who) + " sees no CUDA device, so there is no " + name);
  throw Failure(LAPSE_DEVICE_UNUSABLE, std::string(who) + " sees no " + name,
                count == 1 ? "there is cuda:0 only" : "there are cuda:0 to cuda:" + std::to_string(count - 1));
}

std::string device_list(int cuda_devices) {
  std::string list = "cpu";
  for (int i = 0; i < cuda_devices; ++i) list.append(",cuda:").append(std::to_string(i));
  return list;
}

lapse_session_info session_info(const Ports& inputs, const Ports& outputs, const Device& device, int threads) noexcept {
  // One thread at a time gives a CUDA device its work: what several would gain there, streams gain without their locks.
  auto info = session_info(inputs, outputs, device.name.c_str(), device.cuda, !device.cuda, threads);
  if (!device.cuda) return info;
  info.staged = device.transfers != Transfers::None ? 1 : 0;
  info.transfers = name_of(device.transfers);
  return info;
}

}  // namespace lapse::plugin
