#pragma once
// Prometheus metrics by that project's conventions: base units in the names, counters end in _total, definitions in HELP (those of
// jobs::Trace). Labels are bounded: routes are patterns, methods a fixed list, models what the folder holds.
//
// Threads: any.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <lapse/jobs/job_store.hpp>
#include <lapse/serve/dispatch/dispatcher.hpp>
#include <lapse/serve/observe/observer.hpp>
#include <span>
#include <string>

namespace lapse::serve {

class Metrics {
 public:
  Metrics();

  void request(std::string_view method, std::string_view route, unsigned status, Duration took);
  void accepted(const std::string& model, Duration took, std::uint64_t bytes);
  void ended(const std::string& model, std::string_view how, const jobs::Trace& trace, bool direct);
  void delivered(const std::string& model, Duration since_stored);
  void batch(const std::string& model, std::uint32_t size);
  void worker(const std::string& model, std::string_view what);
  void rejected(std::string_view why);

  /// What is looked up when somebody asks, not counted as it happens.
  struct Now {
    std::span<const jobs::QueueDepth> queues;
    std::span<const ModelStatus> models;
    std::size_t connections = 0, streams = 0;
    std::uint64_t free_bytes = 0;
  };
  /// In the text format.
  std::string exposition(const Now& now);

 private:
  using Labels = prometheus::Labels;
  prometheus::Histogram& seconds(prometheus::Family<prometheus::Histogram>& family, const Labels& labels);
  void set_gauges(const Now& now);

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>&requests_, &bytes_, &ended_, &workers_events_, &rejected_;
  prometheus::Family<prometheus::Histogram>&request_time_, &accept_, &queue_, &batch_wait_, &h2d_, &forward_, &d2h_, &store_, &total_,
      &delivery_, &batch_size_;
  prometheus::Family<prometheus::Gauge>&queued_, &queued_bytes_, &oldest_, &workers_, &connections_, &memory_, &open_files_, &free_,
      &build_;
};

}  // namespace lapse::serve
