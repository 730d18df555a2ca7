#include <fmt/format.h>
#include <unistd.h>

#include <lapse/host/affinity.hpp>
#include <lapse/host/memory.hpp>
#include <lapse/measure/watchdog.hpp>
#include <lapse/report/compose.hpp>
#include <memory>
#include <string>
#include <thread>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/parent_process.hpp"
#include "cli/time_options.hpp"
#include "cli/time_processes.hpp"

namespace lapse::cli {
namespace {

int status_of(const report::PlanRow& plan, bool strict) { return strict && !report::steady(plan) ? kUndecided : 0; }

// To people and files, or to the parent, where there is one.
class Destination {
 public:
  explicit Destination(TimeOptions& options) : outputs_(options.outputs) {
    if (!options.child.empty()) parent_.emplace();
  }

  ParentProcess* parent() { return parent_ ? &*parent_ : nullptr; }

  Result<void> write(const report::Report& report, report::Language language) {
    if (!parent_) return outputs_.write(report, language);
    parent_->report(report);
    return {};
  }

 private:
  ReportOutputs& outputs_;
  std::optional<ParentProcess> parent_;
};

// What is left to do when something hangs: say so, save what was measured, and end the process. On the watchdog's thread.
class LastWords {
 public:
  LastWords(const measuring::ModelRequest& request, const measuring::Plan& plan, Duration limit, Destination& destination,
            const Context& context)
      : request_(request), plan_(plan), limit_(limit), destination_(destination), context_(context) {}

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
      if (auto written = destination_.write(report::compose(request_, plan_, model, so_far, context_.argv), context_.language); !written)
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
  Destination& destination_;
  const Context& context_;
};

Result<int> run_in_processes(TimeOptions& options, std::size_t count, const Context& context) {
  LAPSE_TRY(const measuring::Plan plan, options.read_plan());
  if (!plan.idle.empty()) return fail(ErrorCode::BadUse, "--idle belongs to one process", "leave --processes out");
  LAPSE_CHECK(options.outputs.open(options.read()));
  ProcessesRequest request{options.given(), count, plan.budget, plan.precision};
  request.arguments.insert(request.arguments.end(), {"--", options.model});
  LAPSE_TRY(Replicated measured, time_in_processes(request, context));
  measured.report.argv = context.argv;
  LAPSE_CHECK(options.outputs.write(measured.report, context.language));
  if (measured.failure) return tl::unexpected(*measured.failure);  // after what had been measured until then
  if (measured.report.plan.stop == "interrupted") return exit_status(ErrorCode::Interrupted);
  return status_of(measured.report.plan, options.strict);
}

Result<int> run(TimeOptions& options, const Context& context) {
  if (options.child == "turns") LAPSE_CHECK(options.check_side());
  if (!options.processes.empty()) {
    LAPSE_TRY(const std::size_t count, parse_processes(options.processes));
    if (count != 1) return run_in_processes(options, count, context);
  }
  Destination destination{options};
  if (!options.pin.empty()) {
    LAPSE_TRY(const auto cpus, host::parse_cpu_list(options.pin));
    LAPSE_CHECK(host::pin(cpus));
  }
  LAPSE_TRY(const measuring::Plan plan, options.read_plan());
  LAPSE_TRY(measuring::ModelRequest request, options.engine.request(options.model));
  LAPSE_TRY(request.inputs, options.inputs.request());
  request.transfers = options.transfers;
  LAPSE_TRY(const Duration timeout, parse_duration(options.timeout));
  LAPSE_CHECK(options.outputs.open(options.read()));
  host::limit_to_available();

  ProgressLine progress{context.language};
  progress.loading(request.model);
  LastWords last_words{request, plan, timeout, destination, context};
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
  if (options.child == "turns") hooks.turns = destination.parent();
  LAPSE_TRY(const auto timing, measuring::time_model(model, plan, request.tolerance, hooks, &last_words.so_far));
  watchdog.reset();  // from here on lapse works alone
  progress.clear();

  const report::Report report = report::compose(request, plan, model, timing, context.argv);
  LAPSE_CHECK(destination.write(report, context.language));
  const measuring::Measurement& measurement = timing.timing.measurement;
  if (measurement.failure) return tl::unexpected(*measurement.failure);  // after what had been measured until then
  if (measurement.stop == measuring::Stop::Interrupted) return exit_status(ErrorCode::Interrupted);
  return status_of(report.plan, options.strict);
}

}  // namespace

Command add_time(CLI::App& app, Context& context) {
  const auto options = std::make_shared<TimeOptions>();
  options->add_to(*app.add_subcommand("time", "Measure how long a model takes: cold, and steady with its interval and percentiles"));
  return [options, &context] {
    const auto status = run(*options, context);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
