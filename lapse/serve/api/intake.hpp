#pragma once
// One inference request, or one picture for a model that enlarges pictures, read and checked before anything is done about it: what is
// wrong is refused here, and costs no place in a queue. A picture is looked at only as far as to tell what it is: decoding one that
// somebody made to do harm is for a worker.

#include <lapse/serve/api/services.hpp>

#include <functional>
#include <string>

namespace lapse::serve::api {

struct Intake {
  Intake() = default;  // no aggregate: lapse/serve/async.hpp says why
  std::string body;
  std::string content_type;
  std::uint64_t header_length = 0;
  std::string parameters;  // JobSpec's
  int priority = 0;
  std::optional<Duration> timeout;                   // not started after it
  std::size_t rows = 1;                              // its share of a batch
  std::chrono::steady_clock::time_point received{};  // its last byte
};

/// What makes a job of a request, in the same trip to the pool as the checks: another trip would be two more waits for a thread.
using Keep = std::function<void(const Intake&)>;

/// Reads and checks the body of a request for this model; what is sound is kept then, where `keep` is not empty (which needs a disk that is
/// well, and takes pictures where the model does). The answer to give instead where it is refused.
net::awaitable<tl::expected<Intake, http::Response>> take_in(Services& services, http::Exchange& exchange, const std::string& model,
                                                             const std::string& version, Keep keep);

/// 429 with the time until a place will be free in this model's queue (model empty: in that of all jobs), from 1 s to an hour; any other
/// error as it is.
http::Response refuse_busy(Services& services, const Error& error, const std::string& model);

}  // namespace lapse::serve::api
