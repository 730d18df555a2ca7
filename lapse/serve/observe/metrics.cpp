#include <fmt/format.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <lapse/serve/observe/families.hpp>
#include <lapse/serve/observe/gauges.hpp>
#include <lapse/serve/observe/metrics.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>

namespace lapse::serve {
namespace {

using prometheus::Histogram;

std::optional<Duration> between(const std::optional<jobs::Time>& from, const std::optional<jobs::Time>& to) {
  if (!from || !to) return std::nullopt;
  return *to - *from;
}

std::optional<Duration> storing(const jobs::Trace& trace) {
  if (!trace.started || !trace.stored || !trace.forward) return std::nullopt;
  return *trace.stored - *trace.started - *trace.forward - trace.h2d.value_or(Duration{}) - trace.d2h.value_or(Duration{});
}

/// The lifecycle, as a job's own document tells it under `durations` (docs/serving.md).
struct Stage {
  const char* name;
  const char* help;
  std::optional<Duration> (*of)(const jobs::Trace&);
  bool only_jobs;  // a direct request's result is not stored
};
constexpr std::array kStages{
    Stage{"queue", "queued to claimed: until a worker was given the lease",
          [](const jobs::Trace& t) { return between(t.queued, t.claimed); }, false},
    Stage{"batch_wait", "batched to started: from its place in a batch until the forward pass (or its H2D) was submitted",
          [](const jobs::Trace& t) { return between(t.batched, t.started); }, false},
    Stage{"h2d", "Copy of its batch's inputs to the device; only where the device has memory of its own",
          [](const jobs::Trace& t) { return t.h2d; }, false},
    Stage{"forward", "Forward pass of its batch: device time, or host time on a host engine",
          [](const jobs::Trace& t) { return t.forward; }, false},
    Stage{"d2h", "Copy of its batch's outputs to the host; only where the device has memory of its own",
          [](const jobs::Trace& t) { return t.d2h; }, false},
    Stage{"store", "started to stored, less H2D, forward and D2H: until the result was durable and the final state committed", storing,
          true},
    Stage{"total", "accepted to stored: from the acknowledgement (202) until the result was durable",
          [](const jobs::Trace& t) { return between(t.accepted, t.stored); }, true},
};

/// Made with their first observation: a device without H2D shows no empty histogram of it.
using Stages = std::array<std::optional<Histogram>, kStages.size()>;

void observe(std::optional<Histogram>& histogram, double value, const std::vector<double>& buckets = kSecondsBuckets) {
  if (!histogram) histogram.emplace(buckets);
  histogram->Observe(value);
}

struct ModelSeries {
  std::optional<Histogram> accepted, delivery, batch_size, pass;
  Stages job, direct;
  std::map<std::string, double, std::less<>> job_ended, direct_ended, worker_events;
  double accepted_bytes = 0;
};

std::string bounded_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kKnown{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
  return std::ranges::find(kKnown, method) == kKnown.end() ? "other" : std::string(method);
}

using Models = std::map<std::string, ModelSeries, std::less<>>;

void add_histograms(Families& families, const Models& models, const std::string& name, const std::string& help,
                    const std::function<const std::optional<Histogram>&(const ModelSeries&)>& of) {
  Family& family = families.histogram(name, help);
  for (const auto& [model, series] : models) {
    if (const auto& histogram = of(series)) family.add(histogram->Collect(), {{"model", model}});
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
  add_histograms(
      families, models, "lapse_job_accepted_seconds",
      "Acknowledgement: from the first byte of the request until input and job were durable",
      [](const auto& series) -> const auto& { return series.accepted; });
  Family& bytes = families.counter("lapse_job_accepted_bytes_total", "Bytes of the inputs of accepted jobs");
  for (const auto& [model, series] : models) {
    if (series.accepted) bytes.add(series.accepted_bytes, {{"model", model}});
  }
  for (std::size_t i = 0; i < kStages.size(); ++i) {
    add_histograms(
        families, models, fmt::format("lapse_job_{}_seconds", kStages[i].name),
        std::string("Jobs. ") + kStages[i].help, [i](const auto& series) -> const auto& { return series.job[i]; });
    if (kStages[i].only_jobs) continue;
    add_histograms(
        families, models, fmt::format("lapse_direct_{}_seconds", kStages[i].name),
        std::string("Synchronous requests. ") + kStages[i].help, [i](const auto& series) -> const auto& { return series.direct[i]; });
  }
  add_histograms(
      families, models, "lapse_job_delivery_seconds",
      "stored to delivered: until the client was told of the end or took the result, the first time",
      [](const auto& series) -> const auto& { return series.delivery; });
  add_histograms(
      families, models, "lapse_batch_size", "Rows of a forward pass", [](const auto& series) -> const auto& { return series.batch_size; });
  add_histograms(
      families, models, "lapse_batch_forward_seconds", "Forward passes, each counted once however many requests it served",
      [](const auto& series) -> const auto& { return series.pass; });
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

void Metrics::accepted(const std::string& model, Duration took, std::uint64_t bytes) {
  const std::lock_guard lock(counted_->mutex);
  ModelSeries& series = counted_->of(model);
  observe(series.accepted, seconds(took));
  series.accepted_bytes += static_cast<double>(bytes);
}

void Metrics::ended(const std::string& model, std::string_view how, const jobs::Trace& trace, bool direct) {
  const std::lock_guard lock(counted_->mutex);
  ModelSeries& series = counted_->of(model);
  ++(direct ? series.direct_ended : series.job_ended)[std::string(how)];
  for (std::size_t i = 0; i < kStages.size(); ++i) {
    if (direct && kStages[i].only_jobs) continue;
    if (const auto took = kStages[i].of(trace)) observe((direct ? series.direct : series.job)[i], seconds(*took));
  }
}

void Metrics::delivered(const std::string& model, Duration since_stored) {
  const std::lock_guard lock(counted_->mutex);
  observe(counted_->of(model).delivery, seconds(since_stored));
}

void Metrics::batch(const std::string& model, std::uint32_t size, Duration forward) {
  const std::lock_guard lock(counted_->mutex);
  ModelSeries& series = counted_->of(model);
  observe(series.batch_size, size, kRowsBuckets);
  observe(series.pass, seconds(forward));
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
