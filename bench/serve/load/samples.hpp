#pragma once
// What was measured: every sample is kept, and the summary says what it is of. Percentiles are nearest-rank, of the samples as they are.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "connection.hpp"

namespace load {

struct Sample {
  Instant start;
  Nanoseconds took;
  unsigned status = 0;
};

inline double seconds(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

/// {"count", "p50_seconds", …, "max_seconds"}; {"count": 0} of nothing.
inline nlohmann::ordered_json summary(std::vector<Nanoseconds> times) {
  nlohmann::ordered_json json{{"count", times.size()}};
  if (times.empty()) return json;
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(times.size())));
    return seconds(times[std::max<std::size_t>(rank, 1) - 1]);
  };
  json["p50_seconds"] = at(0.5);
  json["p90_seconds"] = at(0.9);
  json["p99_seconds"] = at(0.99);
  json["p999_seconds"] = at(0.999);
  json["max_seconds"] = at(1);
  return json;
}

inline std::vector<Nanoseconds> times_of(const std::vector<Sample>& samples, unsigned status) {
  std::vector<Nanoseconds> times;
  for (const Sample& each : samples) {
    if (each.status == status) times.push_back(each.took);
  }
  return times;
}

inline nlohmann::ordered_json statuses(const std::vector<Sample>& samples) {
  std::map<unsigned, std::uint64_t> counts;
  for (const Sample& each : samples) ++counts[each.status];
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [status, count] : counts) json[status == 0 ? "broken" : std::to_string(status)] = count;
  return json;
}

/// CSV: start_seconds since `origin`, took_seconds, status.
inline void save(const std::string& file, const std::vector<Sample>& samples, Instant origin) {
  if (file.empty()) return;
  std::ofstream out{file};
  out << "start_seconds,took_seconds,status\n";
  for (const Sample& each : samples)
    out << fmt::format("{:.9f},{:.9f},{}\n", seconds(each.start - origin), seconds(each.took), each.status);
  if (!out.flush()) throw std::runtime_error("can't write " + file);
}

}  // namespace load
