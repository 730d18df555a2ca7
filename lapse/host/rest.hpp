#pragma once
// A process that waits for its turn must not work while it waits. Pools of threads do: they spin for some time before they sleep, so as to
// be quick when the next inference comes (OpenMP up to 200 ms by Intel's default, KMP_BLOCKTIME; ONNX Runtime some milliseconds).

#include <lapse/base/time.hpp>

namespace lapse::host {

/// Sleeps until this process has used less than a tenth of a CPU for a millisecond and none of its other threads wants one, at most for
/// `limit`. False when that never was so.
bool come_to_rest(Duration limit);

}  // namespace lapse::host
