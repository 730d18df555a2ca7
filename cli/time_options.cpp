#include "cli/time_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <lapse/host/affinity.hpp>
#include <lapse/stats/summary.hpp>
#include <sstream>

#include "cli/command.hpp"

namespace lapse::cli {
namespace {

constexpr const char* kFooter =
    "MODEL is a file (.onnx, .pt), a folder in the ONNX test-data layout (model.onnx and\n"
    "test_data_set_*/{input,output}_N.pb), work of your own in a library (./libmine.so:gemm, see\n"
    "docs/subjects.md), null (does nothing: what is left is lapse's own cost), or\n"
    "sim:submit=50us,device=5ms (a simulated asynchronous device; also first=, cold=, sleep=, wake=,\n"
    "h2d=, d2h=, kernels=, jitter=, seed=, time=real|virtual, blocking=0|1, fault=NAME).\n"
    "\n"
    "The measurement ends when the 95 % interval of the median lies within ± --precision (after at least\n"
    "half a second, and as many runs as --percentile needs), or when --budget or --max-runs is used up; the\n"
    "report says which. A percentile is reported only if the sample supports a 95 % interval: p90 needs 36\n"
    "runs, p95 72, p99 368, p99.9 3,688, and more where runs resemble their neighbours.\n"
    "\n"
    "Examples:\n"
    "  lapse time model.onnx\n"
    "  lapse time model.onnx --shape x=8x3x224x224 --threads 1 --pin 0 --json result.json\n"
    "  lapse time model.onnx --processes 6 --json before.json\n"
    "  lapse time model.onnx --idle 0,1ms,10ms,100ms\n"
    "  lapse time bert.pt --shape ids:int64=1x128 --fill ids=ints:0..30521\n"
    "  lapse time 'sim:submit=50us,device=5ms'";

/// A check that the value is one of the words.
auto one_of(std::vector<std::string> words) {
  return [words = std::move(words)](const std::string& value) {
    if (std::ranges::find(words, value) != words.end()) return std::string{};
    return fmt::format("'{}' is none of {}", value, fmt::join(words, ", "));
  };
}

constexpr std::size_t kMostGaps = 16;
constexpr Duration kLongestGap = std::chrono::minutes{1};

/// "0,1ms,10ms" → ascending.
Result<std::vector<Duration>> parse_gaps(const std::string& text) {
  std::vector<Duration> gaps;
  std::istringstream list(text + ',');
  for (std::string gap; std::getline(list, gap, ',');) {
    LAPSE_TRY(const Duration duration, parse_duration(gap));
    gaps.push_back(duration);
  }
  std::ranges::sort(gaps);
  const bool twice = std::ranges::adjacent_find(gaps) != gaps.end();
  if (twice || gaps.size() > kMostGaps || gaps.back() > kLongestGap) {
    return fail(ErrorCode::BadUse, fmt::format("--idle takes up to {} different pauses of at most a minute, not '{}'", kMostGaps, text),
                "such as --idle 0,1ms,10ms,100ms");
  }
  return gaps;
}

constexpr double kMostRuns = 100'000'000;  // 4.8 GB of samples

// What belongs to a measurement as a whole, not to one of its processes; and not to one side of a comparison either.
constexpr std::array<std::string_view, 7> kOfTheWhole{"--processes", "--strict", "--budget", "--json", "--csv", "--markdown", "--html"};
constexpr std::array<std::string_view, 6> kOfNoSide{"--precision", "--percentile", "--min-runs", "--max-runs", "--warmup", "--idle"};

}  // namespace

void TimeOptions::add_to(CLI::App& command) {
  app_ = &command;
  command.add_option("MODEL", model, "Model file or folder, null, or sim:SETTINGS")->required()->type_name("");
  const auto option = [&](const char* name, auto& value, const char* type, const char* text) {
    return command.add_option(name, value, text)->type_name(type)->group("Measuring");
  };
  option("--precision", numbers.precision, "SHARE", "Stop when the median is known within ± this share (default: 0.01)")
      ->check(number_between(1e-9, 1));
  option("--percentile", percentile, "NAME", "… and when the runs support this percentile, too: p90, p95, p99 or p99.9 (default: p90)")
      ->check(one_of({"p90", "p95", "p99", "p99.9"}));
  option("--budget", budget, "TIME", "Stop after this time of warm-up and timed runs (default: 30s)");
  option("--timeout", timeout, "TIME", "End when a call or the device has not come back for this time; 0: wait for ever (default: 60s)");
  option("--min-runs", numbers.min_runs, "N", "Timed runs to do whatever the budget says (default: 1)")
      ->check(number_between(1, kMostRuns));
  option("--max-runs", numbers.max_runs, "N", "Timed runs at the most (default: 1000000)")->check(number_between(1, kMostRuns));
  option("--processes", processes, "K|auto", "Measure in K fresh processes, which share the budget; auto: 5 or more, until --precision");
  option("--warmup", warmup, "N", "Runs to discard first (default: until the times settle)")->check(number_between(0, kMostRuns));
  command.add_flag("--strict", strict, "Exit with 5 unless the times were steady")->group("Measuring");
  option("--idle", idle, "GAPS", "Besides, latency against the pause before each inference (0,1ms,10ms); takes --budget once more");
  option("--scenario", scenario, "NAME", "single-stream: latency, one at a time; offline: throughput, several in flight")
      ->check(one_of({"single-stream", "offline"}));
  option("--in-flight", in_flight, "N", "Inferences in flight in the offline scenario (default: usable CPUs)")
      ->check(number_between(1, 1024));
  const auto on_device = [&](const char* name, auto& value, const char* type, const char* text) {
    return command.add_option(name, value, text)->type_name(type)->group("Device");
  };
  on_device("--transfers", transfers, "KIND", "What is timed of the copies: pinned or pageable host memory, or none (default: pinned)")
      ->check(one_of({"pinned", "pageable", "none"}));
  on_device("--streams", numbers.streams, "N", "Streams that those in flight take in turn (default: 1)")->check(number_between(1, 128));
  command.add_flag("--cuda-graph", numbers.graph, "Capture the forward pass and launch it as one graph")->group("Device");
  command.add_flag("--cold-cache", numbers.cold_cache, "Flush the last-level cache before every run")->group("Device");
  on_device("--audit", audit, "on|off", "Look for what would make the numbers wrong; takes about 1 % of the time (default: on)")
      ->check(one_of({"on", "off"}));
  option("--pin", pin, "CPUS", "CPUs to run on: 0, 0,2 or 0-3");
  inputs.add_to(command);
  engine.add_to(command);
  outputs.add_to(command);
  // How lapse starts itself (cli/parent_process.hpp): for a whole measurement, or to be measured in turns.
  command.add_option("--child", child)->check(one_of({"once", "turns"}))->group("");
  command.footer(kFooter);
}

std::vector<std::string> TimeOptions::given() const {
  std::vector<std::string> out;
  for (const CLI::Option* option : app_->get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string name = "--" + option->get_lnames().front();
    if (std::ranges::find(kOfTheWhole, name) != kOfTheWhole.end()) continue;
    for (const std::string& value : option->results()) out.push_back(fmt::format("{}={}", name, value));
  }
  return out;
}

std::vector<std::string> TimeOptions::read() const { return {model, model + "/model.onnx"}; }

Result<void> TimeOptions::check_side() const {
  const auto refuse = [this](std::string_view name) -> Result<void> {
    if (app_->count(std::string(name)) == 0) return {};
    return fail(ErrorCode::BadUse, fmt::format("{} is for the whole comparison, not for one side of it", name), "leave it out");
  };
  for (const std::string_view name : kOfTheWhole) LAPSE_CHECK(refuse(name));
  for (const std::string_view name : kOfNoSide) LAPSE_CHECK(refuse(name));
  return {};
}

Result<measuring::Plan> TimeOptions::read_plan() const {
  measuring::Plan result = numbers;
  LAPSE_TRY(result.budget, parse_duration(budget));
  result.percentile = stats::find_quantile(percentile)->p;
  if (warmup >= 0) result.warmup = static_cast<std::size_t>(warmup);
  if (scenario == "offline") {
    result.scenario = measuring::Scenario::Offline;
    result.in_flight = in_flight > 0 ? in_flight : static_cast<std::size_t>(host::usable_cpus());
  } else if (in_flight > 1) {
    return fail(ErrorCode::BadUse, "--in-flight belongs to the offline scenario", "add --scenario offline");
  }
  if (result.in_flight < result.streams) {
    return fail(ErrorCode::BadUse, fmt::format("{} streams need as many in flight", result.streams),
                fmt::format("--scenario offline --in-flight {}", result.streams));
  }
  if (result.cold_cache && result.in_flight > 1) {
    return fail(ErrorCode::BadUse, "--cold-cache belongs to one inference at a time", "leave --scenario offline out");
  }
  if (!idle.empty()) {
    LAPSE_TRY(result.idle, parse_gaps(idle));
    if (result.in_flight > 1 || result.cold_cache) {
      return fail(ErrorCode::BadUse, "--idle belongs to one inference at a time and a cache that is left alone",
                  "leave --scenario offline and --cold-cache out");
    }
  }
  result.audit = audit == "on";
  if (result.min_runs > result.max_runs) {
    return fail(ErrorCode::BadUse, fmt::format("--min-runs {} is more than --max-runs {}", result.min_runs, result.max_runs));
  }
  return result;
}

}  // namespace lapse::cli
