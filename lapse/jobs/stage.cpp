#include <algorithm>
#include <array>
#include <lapse/jobs/stage.hpp>

namespace lapse::jobs {
namespace {

std::optional<Duration> between(const std::optional<Time>& from, const std::optional<Time>& to, Duration less = {}) {
  if (!from || !to) return std::nullopt;
  return std::max<Duration>(*to - *from - less, Duration{});
}

std::optional<Duration> storing(const Trace& trace) {
  if (!trace.forward || trace.preprocess) return std::nullopt;
  return between(trace.started, trace.stored, *trace.forward + trace.h2d.value_or(Duration{}) + trace.d2h.value_or(Duration{}));
}

constexpr std::array kStages{
    Stage{"queue", "queued to claimed: until a worker was given the lease", [](const Trace& t) { return between(t.queued, t.claimed); }},
    Stage{"dispatch", "claimed to batched: until the worker had read the input and put it into a batch",
          [](const Trace& t) { return between(t.claimed, t.batched); }},
    Stage{"batch_wait", "batched to started: until its batch's H2D or forward pass was submitted",
          [](const Trace& t) { return between(t.batched, t.started); }},
    Stage{"preprocess", "decoding and cutting into tiles; only of a photo, and beside the following ones",
          [](const Trace& t) { return t.preprocess; }},
    Stage{"h2d", "copy of its batch's inputs to the device; only where the device has memory of its own",
          [](const Trace& t) { return t.h2d; }},
    Stage{"forward", "forward pass of its batch (a photo's: its shares of all its passes): device time, or host time on a host engine",
          [](const Trace& t) { return t.forward; }},
    Stage{"d2h", "copy of its batch's outputs to the host; only where the device has memory of its own",
          [](const Trace& t) { return t.d2h; }},
    Stage{"postprocess", "putting together and encoding; only of a photo, and beside the preceding ones",
          [](const Trace& t) { return t.postprocess; }},
    Stage{"store", "started to stored, less H2D, forward and D2H: until the result and the final state were written; not of a photo",
          storing},
    Stage{"total", "accepted to stored: from the acknowledgement (202) until the end, over all attempts",
          [](const Trace& t) { return between(t.accepted, t.stored); }},
    Stage{"delivery", "stored to delivered: until the client was told of the end or took the result, the first time",
          [](const Trace& t) { return between(t.stored, t.delivered); }},
};

}  // namespace

std::span<const Stage> stages() noexcept { return kStages; }

}  // namespace lapse::jobs
