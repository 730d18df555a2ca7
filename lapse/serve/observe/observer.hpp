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
  /// An asynchronous request was acknowledged: from its first byte until its job was durable.
  virtual void accepted(const std::string& model, Duration took, std::uint64_t bytes) = 0;
  /// A job or a direct request ended; its trace has what there is. `how`: "done", "failed", "cancelled", "expired".
  virtual void ended(const std::string& model, std::string_view how, const jobs::Trace& trace, bool direct) = 0;
  virtual void delivered(const std::string& model, Duration since_stored) = 0;
  /// One forward pass with so many rows.
  virtual void batch(const std::string& model, std::uint32_t size, Duration forward) = 0;
  virtual void worker(const std::string& model, std::string_view what) = 0;  // "started", "crashed", "killed"
  virtual void rejected(std::string_view why) = 0;                           // "queue_full", "fenced", …
};

}  // namespace lapse::serve
