// Two floors alone: durations in, their median with its interval out.
#include <cstdio>
#include <lapse/base/time.hpp>
#include <lapse/stats/summary.hpp>
#include <vector>

int main() {
  std::vector<double> samples;
  for (const char* text : {"3ms", "1ms", "2ms", "5ms", "4ms", "7ms", "6ms"}) {
    const auto duration = lapse::parse_duration(text);
    if (!duration) return 1;
    samples.push_back(static_cast<double>(duration->count()));
  }
  const auto median = lapse::stats::summarise(samples).median;
  if (!median) return 1;
  std::printf("median %s\n", lapse::format_nanoseconds(median->value).c_str());
}
