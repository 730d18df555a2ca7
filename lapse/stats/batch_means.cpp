#include <cmath>
#include <lapse/stats/batch_means.hpp>
#include <lapse/stats/student.hpp>
#include <numeric>

namespace lapse::stats {
namespace {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::optional<Estimate> mean_of_series(std::span<const double> series) {
  const std::size_t length = series.size() / kStretches;
  if (length == 0) return std::nullopt;
  const auto used = series.last(length * kStretches);
  const double centre = mean(used);
  double squares = 0.0;
  for (std::size_t i = 0; i < kStretches; ++i) {
    const double distance = mean(used.subspan(i * length, length)) - centre;
    squares += distance * distance;
  }
  const double student = student_quantile((1.0 + kConfidence) / 2.0, static_cast<double>(kStretches - 1));
  const double half = student * std::sqrt(squares / static_cast<double>(kStretches - 1) / static_cast<double>(kStretches));
  const double value = mean(series);
  return Estimate{value, value - half, value + half};
}

}  // namespace lapse::stats
