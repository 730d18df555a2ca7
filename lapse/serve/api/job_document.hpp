#pragma once
// A job as the interface shows it: the store's document, and where it stands in the queue.

#include <lapse/jobs/document.hpp>
#include <lapse/serve/api/services.hpp>
#include <string>
#include <vector>

namespace lapse::serve::api {

struct Seen {
  jobs::Job job;
  std::optional<std::uint64_t> position;  // of a queued one
};

/// Blocks on the store.
Result<Seen> see(jobs::JobStore& store, const std::string& owner, const std::string& id);
std::string describe(const Services& services, const Seen& seen);

/// Responds with what tells of this job; of its end, too, if it has ended.
net::awaitable<void> tell(Services& services, http::Exchange& exchange, http::Response response, const jobs::Job& job);
/// The client was told of the end of these jobs, or took their results. On the pool; what can't be noted is not worth an error.
net::awaitable<void> note_delivered(Services& services, const std::string& owner, std::vector<std::string> ids);

}  // namespace lapse::serve::api
