#pragma once
// For people who measure their own code: the front door of lapse as a library. No engine, no model, no files.
//
//   cudaStream_t form   auto result = lapse::measure([&](cudaStream_t s) { kernel<<<grid, block, 0, s>>>(x); }, {.budget = 2s});
//   CPU form            auto result = lapse::measure([&] { sort(copy); });
//   then                if (result) fmt::print("{}", lapse::report::to_text(lapse::report::compose(*result, "my kernel"), …));
//
// The work is warmed up until its times settle, then timed one call after the other (`in_flight` of them at once where the plan says so)
// until the median is known to the precision asked for. Under the stream form every call lies between two marks (CUDA events) on the very
// stream that it is handed, is waited for, and is audited: work on another stream, work not joined, gaps left by a slow host.
//
// The work may return nothing; or something that compares with 0, such as cudaError_t, where 0 is success; or a Result<void>. It may
// throw. Each failure ends the measurement, and what was timed before it is kept (Timing::measurement::failure).
//
// Threads: the caller's own; with several in flight under the CPU form, one for each, which call the work at the same time.
// Blocking: until the plan is done, at most about plan.budget. Errors: those of the work before the first timed batch; DeviceUnusable.

#include <concepts>
#include <functional>
#include <lapse/base/error.hpp>
#include <lapse/measure/plan.hpp>
#include <lapse/measure/timing.hpp>
#include <lapse/measure/warning.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

struct CUstream_st;  // what CUDA's cudaStream_t points to, so that this header needs none of CUDA's

namespace lapse {

struct Measured {
  measuring::Plan plan;
  std::string device;  // "cpu", "cuda:0"
  device::DeviceInfo device_info;
  bool asynchronous = false;
  Duration first{};              // the first call, which is cold: end to end
  measuring::Timing timing;      // samples, findings, disturbances
  measuring::Summaries summary;  // nanoseconds: median, percentiles with their intervals
  measuring::Warnings warnings;  // what would make the numbers wrong
};

namespace measuring {

using StreamWork = std::function<Result<void>(void* stream)>;
using HostWork = std::function<Result<void>()>;
Result<Measured> measure_on_stream(StreamWork work, const Plan& plan, std::string_view device);
Result<Measured> measure_on_host(HostWork work, const Plan& plan);

/// "the work returned 700"
Error returned(long long value);

/// Calls the work, and makes what it returns a Result.
template <class Work, class... Arguments>
Result<void> call(Work& work, Arguments... arguments) {
  using Returned = std::invoke_result_t<Work&, Arguments...>;
  if constexpr (std::is_void_v<Returned>) {
    work(arguments...);
    return {};
  } else if constexpr (std::is_convertible_v<Returned, Result<void>>) {
    return work(arguments...);
  } else {
    const auto value = static_cast<long long>(work(arguments...));
    if (value != 0) return tl::unexpected(returned(value));
    return {};
  }
}

}  // namespace measuring

/// Work that a stream is handed to, asynchronous on `device`: "cuda", "cuda:N". (On "sim" and "sim:virtual" the stream is a
/// device::SimStream*; a work that takes a void* runs on all of them.)
template <class Work>
requires std::invocable<Work&, CUstream_st*> Result<Measured> measure(Work work, const measuring::Plan& plan = {},
                                                                      std::string_view device = "cuda") {
  return measuring::measure_on_stream(
      [work = std::move(work)](void* stream) mutable { return measuring::call(work, static_cast<CUstream_st*>(stream)); }, plan, device);
}

/// Work on the CPU that is done when it returns.
template <class Work>
requires(std::invocable<Work&> && !std::invocable<Work&, CUstream_st*>) Result<Measured> measure(Work work,
                                                                                                 const measuring::Plan& plan = {}) {
  return measuring::measure_on_host([work = std::move(work)]() mutable { return measuring::call(work); }, plan);
}

}  // namespace lapse
