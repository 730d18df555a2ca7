// What an iteration costs when there is nothing to measure: lapse's loop on the engine null, beside Google Benchmark's manual-time loop
// that makes the same two clock readings round the same call. Wall time of the whole loop over its iterations.
//   bench_null RESULT.json

#include <benchmark/benchmark.h>

#include <lapse/measure/loop.hpp>
#include <lapse/measure/model.hpp>

#include "paired.hpp"

namespace {

using namespace lapse;

constexpr std::size_t kIterations = 1'000'000;
constexpr int kRounds = 41;

double now_ns() { return static_cast<double>(std::chrono::steady_clock::now().time_since_epoch().count()); }

class Quiet final : public benchmark::BenchmarkReporter {
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fmt::print(stderr, "usage: bench_null RESULT.json\n"), 2;
  measuring::ModelRequest request;
  request.model = "null";
  auto model = measuring::prepare_model(request);
  const auto loop = measuring::make_loop(*model->subject, {});
  std::vector<measuring::Sample> samples(kIterations);
  const auto ours = [&] {
    const double begin = now_ns();
    (void)(*loop)->run(samples, 0, {device::Instant::max(), nullptr});
    return (now_ns() - begin) / kIterations;
  };

  double theirs_ns = 0;
  benchmark::RegisterBenchmark("manual_time",
                               [&](benchmark::State& state) {
                                 const double begin = now_ns();
                                 for (auto _ : state) {
                                   const auto start = std::chrono::steady_clock::now();
                                   benchmark::DoNotOptimize(model->subject->submit(0, 0));
                                   const auto end = std::chrono::steady_clock::now();
                                   state.SetIterationTime(std::chrono::duration<double>(end - start).count());
                                 }
                                 theirs_ns = (now_ns() - begin) / kIterations;
                               })
      ->UseManualTime()
      ->Iterations(kIterations);
  Quiet quiet;
  const auto theirs = [&] {
    benchmark::RunSpecifiedBenchmarks(&quiet);
    return theirs_ns;
  };

  ours();  // touches the samples' memory
  const bench::Paired paired = bench::take_turns(kRounds, ours, theirs);
  const auto ratio = paired.ratio();
  fmt::print(
      "null: lapse {:.1f} ns an iteration, Google Benchmark {:.1f} ns, ratio {:.3f} [{:.3f}, {:.3f}] over {} rounds of {} iterations\n",
      bench::Paired::median(paired.ours), bench::Paired::median(paired.theirs), ratio.value, ratio.low, ratio.high, kRounds, kIterations);
  bench::save(argv[1], bench::to_json(paired));
}
