#include <fmt/chrono.h>
#include <fmt/format.h>

#include <lapse/jobs/document.hpp>
#include <lapse/jobs/stage.hpp>
#include <nlohmann/json.hpp>

namespace lapse::jobs {
namespace {

using Json = nlohmann::ordered_json;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Json error_document(const Error& error) {
  return {{"code", std::string(name(error.code))}, {"message", error.message}, {"hint", error.hint}};
}

Json progress_document(const Progress& progress) { return {{"done", progress.done}, {"total", progress.total}}; }

Json times(const Trace& trace) {
  Json document{{"accepted", rfc3339(trace.accepted)}, {"queued", rfc3339(trace.queued)}};
  const auto add = [&](const char* key, const std::optional<Time>& time) {
    if (time) document[key] = rfc3339(*time);
  };
  add("claimed", trace.claimed);
  add("batched", trace.batched);
  add("started", trace.started);
  add("stored", trace.stored);
  add("delivered", trace.delivered);
  return document;
}

Json durations(const Trace& trace) {
  Json document = Json::object();
  for (const Stage& stage : stages()) {
    if (const auto duration = stage.of(trace)) document[fmt::format("{}_seconds", stage.name)] = seconds(*duration);
  }
  return document;
}

Json document(const Job& job) {
  const std::string href = "/v2/jobs/" + job.spec.id;
  Json out{{"id", job.spec.id},
           {"model", job.spec.model},
           {"version", job.spec.version},
           {"state", std::string(name(job.state))},
           {"priority", job.spec.priority},
           {"attempt", job.attempt},
           {"max_attempts", job.max_attempts}};
  if (!job.spec.label.empty()) out["label"] = job.spec.label;
  out["input"] = {{"href", href + "/input"}, {"bytes", job.spec.input.blob.size}, {"content_type", job.spec.input.content_type}};
  if (job.state == State::Running && job.progress.total > 0) out["progress"] = progress_document(job.progress);
  if (job.state == State::Failed && job.error) out["error"] = error_document(*job.error);
  if (job.state == State::Cancelled) out["stopped"] = job.stopped;
  out["cancelling"] = job.cancel_requested && !final(job.state);
  if (job.state == State::Done && job.result) {
    out["result"] = {{"href", href + "/result"},
                     {"bytes", job.result->blob.size},
                     {"content_type", job.result->content_type},
                     {"header_length", job.result->header_length}};
    if (!job.notes.empty()) out["notes"] = job.notes;
  }
  if (job.spec.deadline) out["deadline"] = rfc3339(*job.spec.deadline);
  if (job.expires) out["expires"] = rfc3339(*job.expires);
  if (!job.spec.webhook.empty()) out["webhook"] = job.spec.webhook;
  out["times"] = times(job.trace);
  out["durations"] = durations(job.trace);
  out["batch_size"] = job.trace.batch_size;
  return out;
}

// Names come from clients, and messages from engines: what is not UTF-8 is replaced, as JSON can't hold it.
std::string text(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string rfc3339(Time time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), (time - whole).count());
}

std::string describe(const Job& job) { return text(document(job)); }

std::string describe_event(const Job& job, std::string_view type, Time time) {
  Json out{{"job", job.spec.id}, {"model", job.spec.model}, {"time", rfc3339(time)}};
  if (type == "progress") out.update(progress_document(job.progress));
  if (type == "failed" && job.error) out["error"] = error_document(*job.error);
  if (type == "cancelled") out["stopped"] = job.stopped;
  return text(out);
}

std::string describe_notice(const Job& job, std::string_view type) { return text({{"event", std::string(type)}, {"job", document(job)}}); }

}  // namespace lapse::jobs
