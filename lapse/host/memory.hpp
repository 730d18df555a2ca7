#pragma once
// Memory of this process and of this machine. Unit: bytes.

#include <cstdint>
#include <optional>

namespace lapse::host {

/// Resident now (VmRSS).
std::uint64_t resident();
/// The most that was resident (VmHWM) since the process began or since reset_peak().
std::uint64_t peak_resident();
/// Starts the peak anew (/proc/self/clear_refs). False where the kernel does not allow it: the peak then covers the whole process.
bool reset_peak();

/// What may still be taken without swapping: the smaller of MemAvailable and what the control group leaves. Nothing where neither is known.
std::optional<std::uint64_t> available();

/// Makes allocations beyond what is available now, and beyond `most` more than now, fail (RLIMIT_DATA), so that a shape too large ends in a
/// message and not in the kernel's out-of-memory killer. Not for programs that reserve address space, such as CUDA's or a sanitizer's.
void limit_to_available(std::uint64_t most = UINT64_MAX);

}  // namespace lapse::host
