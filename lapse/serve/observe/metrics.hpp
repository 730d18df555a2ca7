#pragma once
// Prometheus metrics by that project's conventions (https://prometheus.io/docs/practices/naming): base units in the names, counters end in
// _total, definitions in HELP (jobs::stages, as in a job's document).
//
// What is counted as it happens lives here; what simply is (queues, workers, memory) is handed in at the scrape, so it can't go stale, and
// a model that is gone takes its series with it.
//
// Labels are bounded: methods and routes are those of the interface ("other", "unmatched" for the rest), models those that exist
// (kModels at most between two scrapes, then "other").
//
// Threads: any. No call blocks but for a short lock.

#include <lapse/jobs/job_store.hpp>
#include <lapse/serve/dispatch/dispatcher.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lapse::serve {

class Metrics {
 public:
  static constexpr std::size_t kModels = 1000;

  explicit Metrics(jobs::Clock clock = jobs::system_now);
  ~Metrics();

  void request(std::string_view method, std::string_view route, unsigned status, Duration took);
  void accepted(const jobs::Job& job, Duration took);
  void ended(const jobs::Job& job);
  void delivered(const jobs::Job& job);
  void answered(const std::string& model, std::string_view how, const jobs::Trace& trace);
  void batch(const std::string& model, std::uint32_t size, Duration forward);
  void worker(const std::string& model, std::string_view what);
  void rejected(std::string_view why);

  /// What is looked up when somebody asks, not counted as it happens.
  struct Now {
    std::span<const jobs::QueueDepth> queues;
    std::span<const ModelStatus> models;
    std::size_t connections = 0, streams = 0;
    std::uint64_t free_bytes = 0;
  };
  /// The answer to GET /metrics, of this type.
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";
  std::string exposition(const Now& now);

 private:
  struct Counted;  // prometheus-cpp's types stay inside
  jobs::Clock clock_;
  std::unique_ptr<Counted> counted_;
};

}  // namespace lapse::serve
