#pragma once
// What happens in the server, for those who look at it: metrics and the log are made of these calls, and nothing else knows of either.
//
// Threads: any. Cheap: no call blocks on a disk.

#include <lapse/base/error.hpp>
#include <lapse/base/time.hpp>
#include <lapse/jobs/job.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lapse::serve {

enum class Level : std::uint8_t { Debug, Info, Warning, Error };

class Observer {
 public:
  virtual ~Observer() = default;

  using Fields = std::vector<std::pair<std::string_view, std::string>>;  // "job", "model", "owner", "worker", …
  /// One structured line: {"time":…,"level":…,"message":…, fields…}.
  virtual void log(Level level, std::string_view message, const Fields& fields = {}) = 0;

  virtual void request(std::string_view method, std::string_view route, unsigned status, Duration took) = 0;
  /// A job was acknowledged: from the head of its request until it was durable.
  virtual void accepted(const jobs::Job& job, Duration took) = 0;
  /// A job is final, or queued again after a failed attempt (JobStore::Changes::ended).
  virtual void ended(const jobs::Job& job) = 0;
  /// The client was told of its end, or took its result, for the first time.
  virtual void delivered(const jobs::Job& job) = 0;
  /// A synchronous request ended; its trace has what there is. `how`: "done", "failed", "cancelled", "expired".
  virtual void answered(const std::string& model, std::string_view how, const jobs::Trace& trace) = 0;
  /// One forward pass for so many requests.
  virtual void batch(const std::string& model, std::uint32_t size, Duration forward) = 0;
  virtual void worker(const std::string& model, std::string_view what) = 0;  // "started", "crashed", "killed"
  virtual void rejected(std::string_view why) = 0;                           // "queue_full", "fenced", …
};

}  // namespace lapse::serve
