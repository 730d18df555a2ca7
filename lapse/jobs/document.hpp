#pragma once
// The JSON that the outside sees of a job, made in one place: for the interface, for events and for webhooks (docs/serving.md).

#include <lapse/jobs/job.hpp>
#include <string>
#include <string_view>

namespace lapse::jobs {

/// "2026-01-31T12:00:00.123456789Z" (RFC 3339, UTC).
std::string rfc3339(Time time);

/// The job's document, without `queue`, which only the store knows.
std::string describe(const Job& job);
/// An event's data: job, model and time, with progress, error or what was stopped where the type has it.
std::string describe_event(const Job& job, std::string_view type, Time time);
/// A webhook's body.
std::string describe_notice(const Job& job, std::string_view type);

}  // namespace lapse::jobs
