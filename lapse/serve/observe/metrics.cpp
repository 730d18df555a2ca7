#include <fmt/format.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <lapse/jobs/stage.hpp>
#include <lapse/serve/observe/families.hpp>
#include <lapse/serve/observe/gauges.hpp>
#include <lapse/serve/observe/metrics.hpp>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <tuple>

namespace lapse::serve {
namespace {

using prometheus::Histogram;

// Beside the stages of a job, and of a batch.
constexpr std::string_view kAccepted = "accepted", kDelivery = "delivery", kSize = "size", kForward = "forward";

/// By name. Made with the first observation: a device without H2D shows no empty histogram of it.
using Histograms = std::map<std::string_view, Histogram>;

void observe(Histograms& histograms, std::string_view name, double value, const std::vector<double>& buckets = kSecondsBuckets) {
  histograms.try_emplace(name, buckets).first->second.Observe(value);
}

struct ModelSeries {
  Histograms job, direct, batch;
  std::map<std::string, double, std::less<>> job_ended, direct_ended, worker_events;
  double accepted_bytes = 0, retries = 0;
};

/// A synchronous request is not stored, and its place in a batch is its claim.
bool is_direct(const jobs::Stage& stage) {
  constexpr std::array<std::string_view, 5> kNames{"queue", "batch_wait", "h2d", "forward", "d2h"};
  return std::ranges::find(kNames, stage.name) != kNames.end();
}

std::string bounded_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kKnown{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
  return std::ranges::find(kKnown, method) == kKnown.end() ? "other" : std::string(method);
}

using Models = std::map<std::string, ModelSeries, std::less<>>;

void add_histograms(Families& families, const Models& models, Histograms ModelSeries::*of, std::string_view stage, const std::string& name,
                    const std::string& help) {
  Family& family = families.histogram(name, help);
  for (const auto& [model, series] : models) {
    const auto found = (series.*of).find(stage);
    if (found != (series.*of).end()) family.add(found->second.Collect(), {{"model", model}});
  }
}

void add_counts(Families& families, const Models& models, const std::string& name, const std::string& help, const char* label,
                std::map<std::string, double, std::less<>> ModelSeries::*of) {
  Family& family = families.counter(name, help);
  for (const auto& [model, series] : models) {
    for (const auto& [value, count] : series.*of) family.add(count, {{"model", model}, {label, value}});
  }
}

void add_models(Families& families, const Models& models) {
  add_histograms(families, models, &ModelSeries::job, kAccepted, "lapse_job_accepted_seconds",
                 "Acknowledgement: from the head of the request until input and job were durable");
  Family& bytes = families.counter("lapse_job_accepted_bytes_total", "Bytes of the inputs of accepted jobs");
  Family& retries = families.counter("lapse_job_retries_total", "Attempts that failed and were followed by another");
  for (const auto& [model, series] : models) {
    if (series.job.contains(kAccepted)) bytes.add(series.accepted_bytes, {{"model", model}});
    if (series.retries > 0) retries.add(series.retries, {{"model", model}});
  }
  for (const jobs::Stage& stage : jobs::stages()) {
    add_histograms(families, models, &ModelSeries::job, stage.name, fmt::format("lapse_job_{}_seconds", stage.name),
                   fmt::format("Jobs that are done: {}", stage.what));
    if (!is_direct(stage)) continue;
    add_histograms(families, models, &ModelSeries::direct, stage.name, fmt::format("lapse_direct_{}_seconds", stage.name),
                   fmt::format("Synchronous requests: {}", stage.what));
  }
  add_histograms(families, models, &ModelSeries::batch, kSize, "lapse_batch_size", "Requests of a forward pass");
  add_histograms(families, models, &ModelSeries::batch, kForward, "lapse_batch_forward_seconds",
                 "Forward passes, each counted once however many requests it served");
  add_counts(families, models, "lapse_jobs_ended_total", "Jobs that reached a final state", "state", &ModelSeries::job_ended);
  add_counts(families, models, "lapse_direct_ended_total", "Synchronous inference requests that ended", "state",
             &ModelSeries::direct_ended);
  add_counts(families, models, "lapse_worker_events_total", "What happened to worker processes", "what", &ModelSeries::worker_events);
}

}  // namespace

std::string Families::text() {
  std::vector<prometheus::MetricFamily> filled;
  for (Family& family : families_) {
    if (!family.get().metric.empty()) filled.push_back(std::move(family.get()));
  }
  std::ostringstream out;
  prometheus::TextSerializer{}.Serialize(out, filled);
  return out.str();
}

struct Metrics::Counted {
  std::mutex mutex;
  Models models;
  std::map<std::tuple<std::string, std::string, unsigned>, double> requests;  // method, route, status
  std::map<std::string, Histogram, std::less<>> took;                         // by route
  std::map<std::string, double, std::less<>> rejected;

  ModelSeries& of(const std::string& model) {
    const auto found = models.find(model);
    if (found != models.end()) return found->second;
    return models[models.size() < kModels ? model : "other"];
  }

  /// Series of models that are neither served nor waited for any more.
  void forget_all_but(const Now& now) {
    std::set<std::string, std::less<>> alive{"other"};
    for (const ModelStatus& model : now.models) alive.insert(model.name);
    for (const jobs::QueueDepth& queue : now.queues) alive.insert(queue.model);
    std::erase_if(models, [&](const auto& entry) { return !alive.contains(entry.first); });
  }
};

Metrics::Metrics(jobs::Clock clock) : clock_(std::move(clock)), counted_(std::make_unique<Counted>()) {}
Metrics::~Metrics() = default;

void Metrics::request(std::string_view method, std::string_view route, unsigned status, Duration took) {
  const std::string known = route.empty() ? "unmatched" : std::string(route);
  const std::lock_guard lock(counted_->mutex);
  ++counted_->requests[{bounded_method(method), known, status}];
  counted_->took.try_emplace(known, kSecondsBuckets).first->second.Observe(seconds(took));
}

void Metrics::accepted(const jobs::Job& job, Duration took) {
  const std::lock_guard lock(counted_->mutex);
  ModelSeries& series = counted_->of(job.spec.model);
  observe(series.job, kAccepted, seconds(took));
  series.accepted_bytes += static_cast<double>(job.spec.input.blob.size);
}

void Metrics::ended(const jobs::Job& job) {
  const std::lock_guard lock(counted_->mutex);
  ModelSeries& series = counted_->of(job.spec.model);
  if (!final(job.state)) {
    ++series.retries;
    return;
  }
  ++series.job_ended[std::string(name(job.state))];
  if (job.state != jobs::State::Done) return;  // the times of those that were broken off say nothing of the rest
  for (const jobs::Stage& stage : jobs::stages()) {
    if (const auto took = stage.of(job.trace)) observe(series.job, stage.name, seconds(*took));
  }
}

void Metrics::delivered(const jobs::Job& job) {
  if (job.state != jobs::State::Done || !job.trace.stored || !job.trace.delivered) return;
  const std::lock_guard lock(counted_->mutex);
  observe(counted_->of(job.spec.model).job, kDelivery, seconds(*job.trace.delivered - *job.trace.stored));
}

void Metrics::answered(const std::string& model, std::string_view how, const jobs::Trace& trace) {
  const std::lock_guard lock(counted_->mutex);
  ModelSeries& series = counted_->of(model);
  ++series.direct_ended[std::string(how)];
  for (const jobs::Stage& stage : jobs::stages()) {
    const auto took = is_direct(stage) ? stage.of(trace) : std::nullopt;
    if (took) observe(series.direct, stage.name, seconds(*took));
  }
}

void Metrics::batch(const std::string& model, std::uint32_t size, Duration forward) {
  const std::lock_guard lock(counted_->mutex);
  ModelSeries& series = counted_->of(model);
  observe(series.batch, kSize, size, kSizeBuckets);
  observe(series.batch, kForward, seconds(forward));
}

void Metrics::worker(const std::string& model, std::string_view what) {
  const std::lock_guard lock(counted_->mutex);
  ++counted_->of(model).worker_events[std::string(what)];
}

void Metrics::rejected(std::string_view why) {
  const std::lock_guard lock(counted_->mutex);
  ++counted_->rejected[std::string(why)];
}

std::string Metrics::exposition(const Now& now) {
  Families families;
  add_gauges(families, now, clock_());
  {
    const std::lock_guard lock(counted_->mutex);
    counted_->forget_all_but(now);
    Family& requests = families.counter("lapse_http_requests_total", "Requests answered; status 0: the client had gone");
    for (const auto& [key, count] : counted_->requests) {
      const auto& [method, route, status] = key;
      requests.add(count, {{"method", method}, {"route", route}, {"status", std::to_string(status)}});
    }
    Family& took = families.histogram("lapse_http_request_duration_seconds", "From the head of a request until its answer was sent");
    for (const auto& [route, histogram] : counted_->took) took.add(histogram.Collect(), {{"route", route}});
    Family& rejected = families.counter("lapse_rejected_total", "What was refused, by reason");
    for (const auto& [why, count] : counted_->rejected) rejected.add(count, {{"why", why}});
    add_models(families, counted_->models);
  }
  return families.text();
}

}  // namespace lapse::serve
