#pragma once

#include <lapse/base/time.hpp>
#include <lapse/device/timeline.hpp>

namespace lapse::measuring {

/// One timed inference. On a blocking subject submit, device and end_to_end are one and the same reading.
struct Sample {
  device::Instant start{};  // of the call, by the timeline's now()
  Duration submit{};        // from the call until it returned; on an asynchronous device not the inference
  Duration device{};        // between the two marks round the forward pass (round all of it, if it has no stages), on the device's timeline
  Duration end_to_end{};    // from the call until the outputs were there (synchronised): what a person feels
  Duration h2d{}, d2h{};    // between the marks round those stages, on the device's timeline; 0 where there are none
};

}  // namespace lapse::measuring
