#pragma once
// Reads Prometheus' text format and takes rates and quantiles from it: the arithmetic of `lapse top`. Pure functions; safe on any bytes.

#include <lapse/base/error.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lapse::serve {

struct Sample {
  std::map<std::string, std::string, std::less<>> labels;
  double value = 0;
};

/// The samples of one scrape by name ("lapse_job_queue_seconds_bucket").
class Exposition {
 public:
  /// Error: BadInput, with the line; also for more than 16 MiB.
  static Result<Exposition> parse(std::string_view text);

  const std::vector<Sample>& of(std::string_view name) const;
  /// Sum of the samples that have these labels.
  using Wanted = std::vector<std::pair<std::string_view, std::string_view>>;
  double sum(std::string_view name, const Wanted& wanted = {}) const;
  /// Buckets (upper bound → cumulative count) of a histogram, of all series that have these labels together.
  std::map<double, double> buckets(std::string_view name, const Wanted& wanted = {}) const;

 private:
  std::map<std::string, std::vector<Sample>, std::less<>> samples_;
};

/// What came to `now` since `before`; everything where a counter has started anew.
double increase(double before, double now);
std::map<double, double> increase(const std::map<double, double>& before, const std::map<double, double>& now);

/// The bound of the bucket that the quantile lies in: it is at most that much, and more is not known. Nothing: no observation. Infinite:
/// above the last bucket.
std::optional<double> quantile(const std::map<double, double>& cumulative, double q);

}  // namespace lapse::serve
