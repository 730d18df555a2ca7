#include <fmt/format.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <lapse/base/version.hpp>
#include <lapse/serve/observe/metrics.hpp>

namespace lapse::serve {
namespace {

// 100 µs is what the fastest step takes, an hour the longest that anybody waits; three a decade tell a factor of about two.
const prometheus::Histogram::BucketBoundaries kSeconds{1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1,
                                                       0.25, 0.5,    1,    2.5,  5,      10,   30,   60,     300,  3600};
const prometheus::Histogram::BucketBoundaries kSizes{1, 2, 4, 8, 16, 32, 64, 128, 256};
constexpr std::array<std::string_view, 7> kMethods{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

template <class Builder>
auto& make(prometheus::Registry& registry, Builder builder, const char* name, const char* help) {
  return builder.Name(name).Help(help).Register(registry);
}

double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_files() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator entry{"/proc/self/fd", error}, end; !error && entry != end; entry.increment(error)) ++count;
  return count;
}

}  // namespace

Metrics::Metrics()
    : requests_(make(registry_, prometheus::BuildCounter(), "lapse_http_requests_total", "Requests that were answered.")),
      bytes_(make(registry_, prometheus::BuildCounter(), "lapse_job_input_bytes_total", "Bytes of the inputs of accepted jobs.")),
      ended_(make(registry_, prometheus::BuildCounter(), "lapse_requests_ended_total",
                  "Jobs (kind=job) and synchronous requests (kind=direct) that reached a final state.")),
      workers_events_(make(registry_, prometheus::BuildCounter(), "lapse_worker_events_total", "Workers started, crashed, killed.")),
      rejected_(make(registry_, prometheus::BuildCounter(), "lapse_rejected_total", "What was turned away, by reason.")),
      request_time_(make(registry_, prometheus::BuildHistogram(), "lapse_http_request_duration_seconds",
                         "From the whole header to the end of the answer.")),
      accept_(make(registry_, prometheus::BuildHistogram(), "lapse_job_accept_seconds",
                   "From the request's header until blob and job were durable (202).")),
      queue_(make(registry_, prometheus::BuildHistogram(), "lapse_job_queue_seconds", "queued to claimed.")),
      batch_wait_(
          make(registry_, prometheus::BuildHistogram(), "lapse_job_batch_wait_seconds", "claimed to the start of its forward pass.")),
      h2d_(make(registry_, prometheus::BuildHistogram(), "lapse_job_h2d_seconds", "Inputs to the device, of its batch.")),
      forward_(make(registry_, prometheus::BuildHistogram(), "lapse_job_forward_seconds", "The forward pass of its batch.")),
      d2h_(make(registry_, prometheus::BuildHistogram(), "lapse_job_d2h_seconds", "Outputs to the host, of its batch.")),
      store_(make(registry_, prometheus::BuildHistogram(), "lapse_job_store_seconds",
                  "End of the inference until the result was durable and the final state committed.")),
      total_(make(registry_, prometheus::BuildHistogram(), "lapse_job_total_seconds", "accepted to stored.")),
      delivery_(make(registry_, prometheus::BuildHistogram(), "lapse_job_delivery_seconds",
                     "stored until the client was first told, or took the result.")),
      batch_size_(make(registry_, prometheus::BuildHistogram(), "lapse_batch_size", "Requests in a forward pass.")),
      queued_(make(registry_, prometheus::BuildGauge(), "lapse_queue_jobs", "Jobs queued and running.")),
      queued_bytes_(make(registry_, prometheus::BuildGauge(), "lapse_queue_bytes", "Bytes of the inputs of queued jobs.")),
      oldest_(make(registry_, prometheus::BuildGauge(), "lapse_queue_oldest_seconds", "Age of the oldest queued job.")),
      workers_(make(registry_, prometheus::BuildGauge(), "lapse_workers", "Worker processes.")),
      connections_(make(registry_, prometheus::BuildGauge(), "lapse_connections", "Open connections, and event streams among them.")),
      memory_(make(registry_, prometheus::BuildGauge(), "process_resident_memory_bytes", "Resident memory of the front.")),
      open_files_(make(registry_, prometheus::BuildGauge(), "process_open_fds", "Open descriptors of the front.")),
      free_(make(registry_, prometheus::BuildGauge(), "lapse_blob_free_bytes", "Free space where blobs are stored.")),
      build_(make(registry_, prometheus::BuildGauge(), "lapse_build_info", "Always 1.")) {
  build_.Add({{"version", std::string(version())}, {"commit", std::string(git_commit())}}).Set(1);
}

prometheus::Histogram& Metrics::seconds(prometheus::Family<prometheus::Histogram>& family, const Labels& labels) {
  return family.Add(labels, kSeconds);
}

void Metrics::request(std::string_view method, std::string_view route, unsigned status, Duration took) {
  const std::string known = std::ranges::find(kMethods, method) != kMethods.end() ? std::string(method) : "other";
  const std::string pattern = route.empty() ? "none" : std::string(route);
  requests_.Add({{"method", known}, {"route", pattern}, {"status", std::to_string(status)}}).Increment();
  seconds(request_time_, {{"route", pattern}}).Observe(seconds_of(took));
}

void Metrics::accepted(const std::string& model, Duration took, std::uint64_t bytes) {
  seconds(accept_, {{"model", model}}).Observe(seconds_of(took));
  bytes_.Add({{"model", model}}).Increment(static_cast<double>(bytes));
}

void Metrics::ended(const std::string& model, std::string_view how, const jobs::Trace& trace, bool direct) {
  const Labels labels{{"model", model}, {"kind", direct ? "direct" : "job"}};
  ended_.Add({{"model", model}, {"kind", direct ? "direct" : "job"}, {"state", std::string(how)}}).Increment();
  const auto observe = [&](auto& family, std::optional<Duration> duration) {
    if (duration) seconds(family, labels).Observe(std::max(0.0, seconds_of(*duration)));
  };
  const auto between = [](std::optional<jobs::Time> from, std::optional<jobs::Time> to) -> std::optional<Duration> {
    if (!from || !to) return std::nullopt;
    return *to - *from;
  };
  observe(queue_, between(trace.queued, trace.claimed));
  observe(batch_wait_, between(trace.claimed, trace.started));
  observe(h2d_, trace.h2d);
  observe(forward_, trace.forward);
  observe(d2h_, trace.d2h);
  if (trace.started && trace.stored && trace.forward) {
    observe(store_, *trace.stored - *trace.started - trace.h2d.value_or(Duration{}) - *trace.forward - trace.d2h.value_or(Duration{}));
  }
  if (how == "done") observe(total_, between(trace.accepted, trace.stored));
}

void Metrics::delivered(const std::string& model, Duration since_stored) {
  seconds(delivery_, {{"model", model}}).Observe(seconds_of(since_stored));
}

void Metrics::batch(const std::string& model, std::uint32_t size) { batch_size_.Add({{"model", model}}, kSizes).Observe(size); }

void Metrics::worker(const std::string& model, std::string_view what) {
  workers_events_.Add({{"model", model}, {"what", std::string(what)}}).Increment();
}

void Metrics::rejected(std::string_view why) { rejected_.Add({{"why", std::string(why)}}).Increment(); }

void Metrics::set_gauges(const Now& now) {
  for (const jobs::QueueDepth& queue : now.queues) {
    queued_.Add({{"model", queue.model}, {"state", "queued"}}).Set(static_cast<double>(queue.queued));
    queued_.Add({{"model", queue.model}, {"state", "running"}}).Set(static_cast<double>(queue.running));
    queued_bytes_.Add({{"model", queue.model}}).Set(static_cast<double>(queue.bytes));
    const Duration age = queue.oldest ? jobs::system_now() - *queue.oldest : Duration{};
    oldest_.Add({{"model", queue.model}}).Set(seconds_of(age));
  }
  for (const ModelStatus& model : now.models) {
    workers_.Add({{"model", model.name}, {"version", model.version}}).Set(model.workers);
  }
  connections_.Add({{"kind", "all"}}).Set(static_cast<double>(now.connections));
  connections_.Add({{"kind", "events"}}).Set(static_cast<double>(now.streams));
  memory_.Add({}).Set(resident_bytes());
  open_files_.Add({}).Set(open_files());
  free_.Add({}).Set(static_cast<double>(now.free_bytes));
}

std::string Metrics::exposition(const Now& now) {
  set_gauges(now);
  return prometheus::TextSerializer{}.Serialize(registry_.Collect());
}

}  // namespace lapse::serve
