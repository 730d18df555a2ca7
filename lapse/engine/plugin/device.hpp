#pragma once
// The device that a session is asked to run on, for an engine that knows the host and CUDA: the load options "device", "transfers" and
// "streams" of lapse/engine/abi.h.

#include <lapse/engine/abi.h>

#include <string>
#include <string_view>
#include <vector>

#include <lapse/engine/plugin/options.hpp>
#include <lapse/engine/plugin/ports.hpp>

namespace lapse::plugin {

/// How data travel to a device with memory of its own, and back.
enum class Transfers {
  Pinned,    // page-locked host memory: the copies are ordered on the stream like all other work
  Pageable,  // ordinary host memory: the driver copies through memory of its own and may block
  None       // inputs lie on the device since bind, outputs stay there until they are asked for
};

struct Device {
  bool cuda = false;  // false: the host, and nothing below means anything
  int index = 0;
  Transfers transfers = Transfers::Pinned;
  std::vector<void*> streams;  // those that submit will be given, as far as they are known at load
  std::string name = "cpu";    // "cuda:0"
};

/// Reads the three options: "cpu" | "cuda" | "cuda:N"; "pinned" | "pageable" | "none"; addresses as decimal numbers, comma-separated.
/// Throws Failure(DEVICE_UNUSABLE) for another device, Failure(BAD_INPUT) for other values, and for transfers on the host.
Device read_device(Options& options);

/// Throws Failure(DEVICE_UNUSABLE) unless there are more than `index` CUDA devices. `who` sees them: "LibTorch".
void require_index(std::string_view who, int index, int count);

/// "cpu", or with two CUDA devices "cpu,cuda:0,cuda:1".
std::string device_list(int cuda_devices);

/// What a session on `device` tells of itself; its texts live as long as what they are taken from.
lapse_session_info session_info(const Ports& inputs, const Ports& outputs, const Device& device, int threads) noexcept;

}  // namespace lapse::plugin
