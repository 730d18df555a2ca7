#pragma once
// The two engines that need no library, behind the same table of functions as every plug-in.
//
//   null   does nothing: what is left is the cost of the measurement itself. Input x float32 [batch, 4], output y = x.
//   sim    a model on the simulated device (lapse/device/simulated.hpp); the device writes y = x when its work completes. The model's text:
//          submit=DURATION    host time that a submit takes             (0)
//          device=DURATION    device time of one inference              (1ms)
//          first=DURATION     device time of the first one              (as device)
//          jitter=SHARE       device times spread log-normally by this  (0)
//          seed=N             of the jitter                             (0)
//          time=real|virtual  a real thread, or exact virtual time      (real)
//          blocking=0|1       1: submit waits for the device            (0)

#include <lapse/engine/abi.h>

#include <string>

namespace lapse::engine {

const lapse_engine_api& null_engine() noexcept;
const lapse_engine_api& sim_engine() noexcept;

namespace builtin {

/// Keeps the reason of a failure for `error()` and `hint()` of this thread, and returns `status`.
lapse_status failed(lapse_status status, std::string message, std::string hint) noexcept;
const char* error() noexcept;
const char* hint() noexcept;

/// The one signature of both: one float32 tensor [batch, 4] in, the same out. BAD_INPUT with the reason when it isn't that.
inline constexpr int64_t kColumns = 4;
extern const lapse_port kInput;
extern const lapse_port kOutput;
lapse_status check_input(const lapse_tensor* inputs, size_t count) noexcept;

}  // namespace builtin
}  // namespace lapse::engine
