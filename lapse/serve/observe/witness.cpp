#include <fmt/format.h>

#include <lapse/serve/observe/witness.hpp>

namespace lapse::serve {
namespace {

Observer::Fields fields_of(const jobs::Job& job) {
  return {{"job", job.spec.id}, {"owner", job.spec.owner}, {"model", job.spec.model}, {"attempt", std::to_string(job.attempt)}};
}

}  // namespace

void Witness::accepted(const jobs::Job& job, Duration took) {
  metrics_.accepted(job, took);
  log_.write(Level::Debug, "job accepted", fields_of(job));
}

void Witness::ended(const jobs::Job& job) {
  metrics_.ended(job);
  Fields fields = fields_of(job);
  switch (job.state) {
    case jobs::State::Queued:
      fields.emplace_back("reason", job.error ? job.error->message : "");
      return log_.write(Level::Warning, "an attempt failed, and the job is queued again", fields);
    case jobs::State::Failed:
      fields.emplace_back("reason", job.error ? job.error->message : "");
      return log_.write(Level::Warning, "job failed", fields);
    case jobs::State::Cancelled:
      fields.emplace_back("stopped", job.stopped);
      return log_.write(Level::Info, "job cancelled", fields);
    case jobs::State::Expired:
      return log_.write(Level::Info, "job expired", fields);
    case jobs::State::Done:
      return log_.write(Level::Debug, "job done", fields);
    case jobs::State::Running:
      break;  // it has not ended
  }
}

}  // namespace lapse::serve
