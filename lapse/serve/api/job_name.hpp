#pragma once
// Under what a job goes: its id, and the digest that tells whether two submissions are the same.

#include <lapse/jobs/job.hpp>
#include <optional>
#include <string>

namespace lapse::serve::api {

/// jobs::check before the input is there. Error: BadInput.
Result<void> check_names(jobs::JobSpec spec);
/// A UUID of version 7 (RFC 9562): by time, and random.
std::string new_job_name();

/// SHA-256 of all that the client sent; of the time limit as it was given, as a moment would be another each time.
std::string digest_of(const jobs::JobSpec& spec, std::optional<Duration> timeout);

}  // namespace lapse::serve::api
