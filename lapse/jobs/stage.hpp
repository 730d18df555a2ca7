#pragma once
// The life of a job as durations between the marks of its Trace: one table for its document and for the metrics.

#include <lapse/jobs/job.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace lapse::jobs {

struct Stage {
  std::string_view name;                        // "queue"
  std::string_view what;                        // from when to when
  std::optional<Duration> (*of)(const Trace&);  // nothing: not gone through; 0 where the time of day was set back meanwhile
};

/// queue, dispatch, batch_wait, h2d, forward, d2h, store: of the last attempt, one after the other, so they add up to the time from
/// `queued` to `stored`. Not so a photo's: after batch_wait some of its tiles are cut while others are in the model or put together, so
/// preprocess, h2d, forward, d2h and postprocess overlap, and there is no store that would be what is left. Then total and delivery, the
/// last.
std::span<const Stage> stages() noexcept;

}  // namespace lapse::jobs
