#pragma once
// How long each kernel ran by CUPTI's activity records: the profiler's own time stamps, which know nothing of our events.
//
// CUPTI comes with the toolkit and not with the driver, so it is opened when asked for, from wherever the loader finds it. Built where its
// headers are; else, or without the library, there is no witness. Recording slows every launch down: never during a measurement.

#include <lapse/device/controls.hpp>
#include <memory>
#include <string>
#include <vector>

namespace lapse::device::cuda {

/// Newest first, each by the name that its major version has.
std::vector<std::string> cupti_libraries();

/// The first of `libraries` that is there; null where none is. `device` is what stop() synchronises, and outlives the witness.
/// CUPTI has one customer in a process: of two witnesses at once only the later one gets records.
std::unique_ptr<Witness> open_cupti(Controls& device, const std::vector<std::string>& libraries);

}  // namespace lapse::device::cuda
