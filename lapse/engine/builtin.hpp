#pragma once
// The engines that need no library of their own, behind the same table of functions as every plug-in. null and sim take x float32
// [batch, 4]; subject takes nothing.
//
//   null   does nothing: what is left is the cost of the measurement itself. Its output y is the x that was bound.
//   sim    a model on the simulated device (lapse/device/simulated.hpp), which writes y = x when its work completes. The model's text:
//          submit=DURATION    host time that a submit takes             (0)
//          device=DURATION    device time of one inference              (1ms)
//          first=DURATION     device time of the first one              (as device)
//          cold=DURATION      device time when the cache was flushed    (as device)
//          h2d=, d2h=DURATION copies to the device and back, as stages  (0: none)
//          kernels=N          pieces that submit and device divide into (1)
//          jitter=SHARE       device times spread log-normally by this  (0)
//          seed=N             of the jitter                             (0)
//          time=real|virtual  a real thread, or exact virtual time      (real)
//          blocking=0|1       1: submit waits for the device            (0)
//          fault=NAME         what a wrong engine does: pending (says that it blocks), other-stream, side-stream (goes on there when
//                             its stream is done), copies-outside (outputs come to the host only when asked for)
//          The load option transfers=none leaves the copies out; outputs then takes d2h.
//   subject  work of the user's own behind lapse/engine/subject.h. The model's text: FILE.so:SYMBOL[:ARGUMENTS]

#include <lapse/engine/abi.h>

#include <string_view>

namespace lapse::engine {

const lapse_engine_api& null_engine() noexcept;
const lapse_engine_api& sim_engine() noexcept;
const lapse_engine_api& subject_engine() noexcept;

/// Does it begin with a FILE.so or FILE.so.N…, the end of the text or a colon behind it? Looks at no file.
bool names_subject(std::string_view model);

}  // namespace lapse::engine
