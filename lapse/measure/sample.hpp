#pragma once

#include <lapse/base/time.hpp>

namespace lapse::measuring {

/// One timed inference. On a blocking subject the three are one and the same reading.
struct Sample {
  Duration submit{};      // from the call until it returned; on an asynchronous device not the inference
  Duration device{};      // between the two marks round the work, on the device's own timeline
  Duration end_to_end{};  // from the call until the outputs were there (synchronised): what a person feels
};

}  // namespace lapse::measuring
