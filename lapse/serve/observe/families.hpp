#pragma once
// What the metrics are made of: the families of one scrape while they are filled, and the buckets.

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <lapse/base/time.hpp>
#include <string>
#include <vector>

namespace lapse::serve {

/// 100 µs to 1 h, about three a decade (1, 2, 5): from the acknowledgement of a small request on a fast disk to a night's queue. Quantiles
/// that are read off them are at most a factor of 2.5 too high; the price is 24 series a histogram.
inline const std::vector<double> kSecondsBuckets{1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1,  0.2,  0.5,
                                                 1,    2,    5,    10,   20,   50,   100,  200,  500,  1000, 2000, 3600};
/// Requests of a forward pass: powers of two, as batches are mostly chosen.
inline const std::vector<double> kSizeBuckets{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

inline double seconds(Duration duration) { return std::max(0.0, std::chrono::duration<double>(duration).count()); }

using Labels = std::vector<prometheus::ClientMetric::Label>;

class Family {
 public:
  Family(std::string name, std::string help, prometheus::MetricType type) : family_{std::move(name), std::move(help), type, {}} {}
  void add(prometheus::ClientMetric metric, Labels labels) {
    metric.label = std::move(labels);
    family_.metric.push_back(std::move(metric));
  }
  void add(double value, Labels labels = {}) {
    prometheus::ClientMetric metric;
    (family_.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    add(std::move(metric), std::move(labels));
  }
  prometheus::MetricFamily& get() { return family_; }

 private:
  prometheus::MetricFamily family_;
};

/// All families of one scrape, in the order in which they were begun.
class Families {
 public:
  Family& counter(std::string name, std::string help) { return begin(std::move(name), std::move(help), prometheus::MetricType::Counter); }
  Family& gauge(std::string name, std::string help) { return begin(std::move(name), std::move(help), prometheus::MetricType::Gauge); }
  Family& histogram(std::string name, std::string help) {
    return begin(std::move(name), std::move(help), prometheus::MetricType::Histogram);
  }
  /// In the text format. Families without a series are left out.
  std::string text();

 private:
  Family& begin(std::string name, std::string help, prometheus::MetricType type) {
    return families_.emplace_back(std::move(name), std::move(help), type);
  }
  std::deque<Family> families_;  // a deque: references stay good
};

}  // namespace lapse::serve
