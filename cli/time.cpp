#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <lapse/host/affinity.hpp>
#include <lapse/host/memory.hpp>
#include <lapse/measure/watchdog.hpp>
#include <lapse/report/compose.hpp>
#include <lapse/stats/summary.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/model_options.hpp"
#include "cli/parent_process.hpp"
#include "cli/report_outputs.hpp"
#include "cli/time_processes.hpp"

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

struct Options {
  const CLI::App* app = nullptr;
  std::string processes, child;
  std::optional<ParentProcess> parent;  // of a child
  std::string model, percentile = "p90", budget = "30s", timeout = "60s", pin, idle, scenario = "single-stream";
  bool strict = false;
  std::int64_t warmup = -1;   // -1: not given
  std::size_t in_flight = 0;  // 0: not given
  std::string transfers, audit = "on";
  measuring::Plan plan;
  EngineOptions engine;
  InputOptions inputs;
  ReportOutputs outputs;

  void add_to(CLI::App& command) {
    app = &command;
    command.add_option("MODEL", model, "Model file or folder, null, or sim:SETTINGS")->required()->type_name("");
    const auto option = [&](const char* name, auto& value, const char* type, const char* text) {
      return command.add_option(name, value, text)->type_name(type)->group("Measuring");
    };
    option("--precision", plan.precision, "SHARE", "Stop when the median is known within ± this share (default: 0.01)")
        ->check(number_between(1e-9, 1));
    option("--percentile", percentile, "NAME", "… and when the runs support this percentile, too: p90, p95, p99 or p99.9 (default: p90)")
        ->check(one_of({"p90", "p95", "p99", "p99.9"}));
    option("--budget", budget, "TIME", "Stop after this time of warm-up and timed runs (default: 30s)");
    option("--timeout", timeout, "TIME", "End when a call or the device has not come back for this time; 0: wait for ever (default: 60s)");
    option("--min-runs", plan.min_runs, "N", "Timed runs to do whatever the budget says (default: 1)")->check(number_between(1, kMostRuns));
    option("--max-runs", plan.max_runs, "N", "Timed runs at the most (default: 1000000)")->check(number_between(1, kMostRuns));
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
    on_device("--streams", plan.streams, "N", "Streams that those in flight take in turn (default: 1)")->check(number_between(1, 128));
    command.add_flag("--cuda-graph", plan.graph, "Capture the forward pass and launch it as one graph")->group("Device");
    command.add_flag("--cold-cache", plan.cold_cache, "Flush the last-level cache before every run")->group("Device");
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

  /// What was given on the command line, but for MODEL and what belongs to the whole.
  std::vector<std::string> given() const {
    std::vector<std::string> out;
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_lnames().empty()) continue;
      const std::string name = "--" + option->get_lnames().front();
      if (std::ranges::find(kOfTheWhole, name) != kOfTheWhole.end()) continue;
      for (const std::string& value : option->results()) out.push_back(fmt::format("{}={}", name, value));
    }
    return out;
  }

  /// A side of a comparison says what is measured, and not for how long.
  Result<void> check_side() const {
    const auto refuse = [this](std::string_view name) -> Result<void> {
      if (app->count(std::string(name)) == 0) return {};
      return fail(ErrorCode::BadUse, fmt::format("{} is for the whole comparison, not for one side of it", name), "leave it out");
    };
    for (const std::string_view name : kOfTheWhole) LAPSE_CHECK(refuse(name));
    for (const std::string_view name : kOfNoSide) LAPSE_CHECK(refuse(name));
    return {};
  }

  int status_of(const report::PlanRow& row) const { return strict && !report::steady(row) ? kUndecided : 0; }

  /// To the parent, where there is one.
  Result<void> write(const report::Report& report, report::Language language) {
    if (!parent) return outputs.write(report, language);
    parent->report(report);
    return {};
  }

  Result<measuring::Plan> read_plan() const {
    measuring::Plan result = plan;
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
};

// What is left to do when something hangs: say so, save what was measured, and end the process. On the watchdog's thread.
class LastWords {
 public:
  LastWords(const measuring::ModelRequest& request, const measuring::Plan& plan, Duration limit, Options& options, const Context& context)
      : request_(request), plan_(plan), limit_(limit), options_(options), context_(context) {}

  measuring::PreparedModel model;  // what is timed …
  measuring::ModelTiming so_far;   // … and what is known of it
  ProgressLine* progress = nullptr;

  [[noreturn]] void operator()(measuring::Expiry expiry) {
    const Error error = timed_out(expiry, limit_, request_.model);
    const int status = exit_status(error.code);
    // The report asks the device for its name; if that hangs too, it has to do without.
    std::thread([status] {
      std::this_thread::sleep_for(kPatience);
      _exit(status);
    }).detach();
    if (progress != nullptr) progress->clear();
    if (expiry.so_far) {
      so_far.timing.measurement = std::move(*expiry.so_far);
      so_far.timing.measurement.failure = error;
      if (auto written = options_.write(report::compose(request_, plan_, model, so_far, context_.argv), context_.language); !written)
        print_error(written.error(), context_.language);
    }
    print_error(error, context_.language);
    std::fflush(nullptr);
    _exit(status);  // not exit: what hangs may hold locks that destructors want
  }

 private:
  static constexpr auto kPatience = std::chrono::seconds{10};
  const measuring::ModelRequest& request_;
  const measuring::Plan& plan_;
  Duration limit_;
  Options& options_;
  const Context& context_;
};

Result<int> run_in_processes(Options& options, std::size_t count, const Context& context) {
  LAPSE_TRY(const measuring::Plan plan, options.read_plan());
  if (!plan.idle.empty()) return fail(ErrorCode::BadUse, "--idle belongs to one process", "leave --processes out");
  LAPSE_CHECK(options.outputs.open());
  ProcessesRequest request{options.given(), count, plan.budget, plan.precision};
  request.arguments.insert(request.arguments.end(), {"--", options.model});
  LAPSE_TRY(Replicated measured, time_in_processes(request, context));
  measured.report.argv = context.argv;
  LAPSE_CHECK(options.outputs.write(measured.report, context.language));
  if (measured.failure) return tl::unexpected(*measured.failure);  // after what had been measured until then
  if (measured.report.plan.stop == "interrupted") return exit_status(ErrorCode::Interrupted);
  return options.status_of(measured.report.plan);
}

Result<int> run(Options& options, const Context& context) {
  if (options.child == "turns") LAPSE_CHECK(options.check_side());
  if (!options.processes.empty()) {
    LAPSE_TRY(const std::size_t count, parse_processes(options.processes));
    if (count != 1) return run_in_processes(options, count, context);
  }
  if (!options.child.empty()) options.parent.emplace();
  if (!options.pin.empty()) {
    LAPSE_TRY(const auto cpus, host::parse_cpu_list(options.pin));
    LAPSE_CHECK(host::pin(cpus));
  }
  LAPSE_TRY(const measuring::Plan plan, options.read_plan());
  LAPSE_TRY(measuring::ModelRequest request, options.engine.request(options.model));
  LAPSE_TRY(request.inputs, options.inputs.request());
  request.transfers = options.transfers;
  LAPSE_TRY(const Duration timeout, parse_duration(options.timeout));
  LAPSE_CHECK(options.outputs.open());
  host::limit_to_available();

  ProgressLine progress{context.language};
  progress.loading(request.model);
  LastWords last_words{request, plan, timeout, options, context};
  last_words.progress = &progress;
  measuring::PreparedModel& model = last_words.model;
  std::optional<measuring::Watchdog> watchdog;
  if (timeout.count() > 0) {
    watchdog.emplace(
        timeout, [&](measuring::Expiry expiry) { last_words(std::move(expiry)); }, plan.in_flight);
  }
  measuring::Watchdog* const watching = watchdog ? &*watchdog : nullptr;
  LAPSE_TRY(model, measuring::prepare_model(request, plan, watching));
  // From here on there is something to lose: a first Ctrl-C ends the measurement, not the program.
  const std::atomic<bool>& stop = stop_on_signal();
  measuring::Hooks hooks{[&](const measuring::Progress& now) { progress.show(now, plan.budget); }, &stop, watching};
  if (options.child == "turns") hooks.turns = &*options.parent;
  LAPSE_TRY(const auto timing, measuring::time_model(model, plan, request.tolerance, hooks, &last_words.so_far));
  watchdog.reset();  // from here on lapse works alone
  progress.clear();

  const report::Report report = report::compose(request, plan, model, timing, context.argv);
  LAPSE_CHECK(options.write(report, context.language));
  const measuring::Measurement& measurement = timing.timing.measurement;
  if (measurement.failure) return tl::unexpected(*measurement.failure);  // after what had been measured until then
  if (measurement.stop == measuring::Stop::Interrupted) return exit_status(ErrorCode::Interrupted);
  return options.status_of(report.plan);
}

}  // namespace

Command add_time(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  options->add_to(*app.add_subcommand("time", "Measure how long a model takes: cold, and steady with its interval and percentiles"));
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
