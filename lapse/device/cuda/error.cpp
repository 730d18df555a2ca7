#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <lapse/device/cuda/error.hpp>

namespace lapse::device::cuda {
namespace {

constexpr std::string_view kNoGpuHint =
    "measure on the CPU, or where a GPU with its driver is; a container has to be started with its GPUs";

// Faults that are told by their code alone.
struct Row {
  cudaError_t status;
  std::string_view message;
  std::string_view hint;
};
constexpr std::array kRows{
    Row{cudaErrorDevicesUnavailable, "the device is busy, or one process has it for itself",
        "nvidia-smi shows who uses it, and whether its compute mode is exclusive"},
    Row{cudaErrorDeviceAlreadyInUse, "another process has the device for itself", "nvidia-smi shows who uses it"},
    Row{cudaErrorNoKernelImageForDevice, "this lapse holds no code for this model of GPU",
        "build it with -DCMAKE_CUDA_ARCHITECTURES=native"},
    Row{cudaErrorUnsupportedPtxVersion, "the driver is too old for the code that this lapse holds for this model of GPU",
        "update the driver, or build lapse with -DCMAKE_CUDA_ARCHITECTURES=native"},
    Row{cudaErrorSystemDriverMismatch, "two parts of the NVIDIA driver are of different versions",
        "it was probably updated while in use: restart this machine"},
    Row{cudaErrorCompatNotSupportedOnDevice, "CUDA's forward-compatibility package doesn't work with this GPU",
        "take it out of LD_LIBRARY_PATH, or update the driver itself"},
    Row{cudaErrorSystemNotReady, "the NVIDIA driver is not ready yet", "on a machine with NVSwitch nvidia-fabricmanager has to run"},
    Row{cudaErrorStubLibrary, "instead of the NVIDIA driver a stub for linking was loaded", "take …/stubs out of LD_LIBRARY_PATH"},
};

// What went wrong when the device was lost. A kernel can be anybody's: the engine's, or that of a custom operator.
std::string_view lost_by(cudaError_t status) noexcept {
  switch (status) {
    case cudaErrorECCUncorrectable:
      return "its memory failed";
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorContained:
    case cudaErrorExternalDevice:
      return "its hardware failed";
    case cudaErrorLaunchTimeout:
      return "a kernel ran longer than the driver allows";
    case cudaErrorContextIsDestroyed:
      return "somebody reset it";
    case cudaErrorMpsClientTerminated:
      return "MPS ended this process's use of it";
    case cudaErrorIllegalAddress:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorTensorMemoryLeak:
      return "a kernel failed";
    default:
      return {};
  }
}

Error explain_driver() {
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0) return {ErrorCode::DeviceUnusable, "no NVIDIA driver is installed here", std::string(kNoGpuHint)};
  return {ErrorCode::DeviceUnusable,
          fmt::format("the NVIDIA driver is too old: it speaks CUDA {}, this lapse was built with {}", version_text(driver),
                      version_text(CUDART_VERSION)),
          fmt::format("update the driver, or build lapse with CUDA {} or older", version_text(driver))};
}

Error explain_memory(std::string_view doing) {
  std::size_t free = 0, total = 0;
  std::string room;
  if (cudaMemGetInfo(&free, &total) == cudaSuccess && total > 0) {
    constexpr double kMiB = 1024.0 * 1024.0;
    room = fmt::format(": {:.0f} of {:.0f} MiB are free", static_cast<double>(free) / kMiB, static_cast<double>(total) / kMiB);
  }
  return {ErrorCode::OutOfMemory, fmt::format("can't {}: the device is out of memory{}", doing, room),
          "nvidia-smi shows who holds it; a smaller batch needs less"};
}

}  // namespace

std::string reason(cudaError_t status) { return fmt::format("{} ({})", cudaGetErrorString(status), cudaGetErrorName(status)); }

bool loses_device(cudaError_t status) noexcept { return !lost_by(status).empty(); }

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

std::string visible_devices() {
  const char* value = std::getenv("CUDA_VISIBLE_DEVICES");
  return value == nullptr ? std::string{} : fmt::format("CUDA_VISIBLE_DEVICES is '{}'", value);
}

Error explain(cudaError_t status, std::string_view doing) {
  cudaGetLastError();
  if (status == cudaErrorInsufficientDriver) return explain_driver();
  if (status == cudaErrorMemoryAllocation) {
    Error error = explain_memory(doing);
    cudaGetLastError();  // asking for the room may have failed too
    return error;
  }
  if (status == cudaErrorNoDevice) {
    const std::string visible = visible_devices();
    return {ErrorCode::DeviceUnusable, "the NVIDIA driver sees no GPU", visible.empty() ? std::string(kNoGpuHint) : visible};
  }
  if (const std::string_view cause = lost_by(status); !cause.empty()) {
    return {ErrorCode::DeviceUnusable, fmt::format("can't {}: {}: {}; the device is lost to this process", doing, cause, reason(status)),
            "start again; where a kernel fails, compute-sanitizer tells which"};
  }
  for (const Row& row : kRows) {
    if (row.status == status) {
      return {ErrorCode::DeviceUnusable, fmt::format("{}: {}", row.message, reason(status)), std::string(row.hint)};
    }
  }
  return {ErrorCode::DeviceUnusable, fmt::format("can't {}: {}", doing, reason(status)), "nvidia-smi tells whether the device is well"};
}

}  // namespace lapse::device::cuda
