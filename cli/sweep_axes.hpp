#pragma once
// What a sweep goes over, as the command line has it: "1,2,4", "1..32", "onnxruntime,torch".

#include <cstdint>
#include <lapse/base/error.hpp>
#include <string>
#include <vector>

namespace lapse::cli {

/// One point, as asked for.
struct SweepRequest {
  std::int64_t batch = 0;  // 0: not said; so with `threads`
  int threads = 0;
  std::int64_t in_flight = 1;
  std::string engine, device;  // empty: not said

  /// Of its files: "point-batch8-threads2-inflight1-onnxruntime-cpu".
  std::string file_name() const;
};

struct SweepAxes {
  std::string batches, threads, in_flight, engines, devices;  // empty: not said

  /// The cross product, the batch varying fastest. Errors: BadUse (an element that is none, an empty list, one twice, too many points).
  Result<std::vector<SweepRequest>> points() const;
};

/// "1,2,8..32" → 1, 2, 8, 16, 32: a range doubles from its first number and ends with its last. `option` is for the error. 1 … most.
Result<std::vector<std::int64_t>> parse_counts(const std::string& option, const std::string& text, std::int64_t most);

}  // namespace lapse::cli
